package bfdwire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, parts ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// up is an ordinary packet of a session that is up.
func up() Control {
	return Control{
		Version: 1, State: Up, DetectMult: 3, Length: 24, MyDiscriminator: 0x54fedca0, YourDiscriminator: 0xd144471f,
		DesiredMinTX: 300_000, RequiredMinRX: 250_000, RequiredMinEchoRX: 50_000,
	}
}

func TestControlBytes(t *testing.T) {
	signed := up()
	signed.AuthPresent, signed.Length = true, 52
	signed.Auth = Auth{Type: AuthMeticulousSHA1, KeyID: 7, Sequence: 0x01020304, HasSequence: true}
	for name, c := range map[string]struct {
		c    Control
		want []byte
	}{
		"up": {up(), unhex(t,
			"20", "c0", "03", "18", // version 1 and no diagnostic, Up, detect mult, length
			"54fedca0", "d144471f", // my and your discriminator
			"000493e0", "0003d090", "0000c350")}, // desired TX, required RX, required echo RX
		"all flags": {
			Control{
				Version: 1, Diag: DiagDetectionTime, State: Down, Poll: true, Final: true, Independent: true, Demand: true,
				DetectMult: 255, Length: 24, MyDiscriminator: 1, DesiredMinTX: 1_000_000, Padding: 2,
			},
			unhex(t, "21", "7a", "ff", "18", "00000001", "00000000", "000f4240", "00000000", "00000000", "0000"),
		},
		"multipoint": {
			Control{Version: 1, State: Up, Multipoint: true, DetectMult: 3, Length: 24, MyDiscriminator: 9, DesiredMinTX: 1},
			unhex(t, "20", "c1", "03", "18", "00000009", "00000000", "00000001", "00000000", "00000000"),
		},
		"meticulous SHA1": {signed, unhex(t,
			"20", "c4", "03", "34", "54fedca0", "d144471f", "000493e0", "0003d090", "0000c350",
			"05", "1c", "07", "00", "01020304", // type, length, key ID, reserved, sequence number
			strings.Repeat("00", 20))}, // digest
	} {
		if got := AppendControl(nil, &c.c); !bytes.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %x\nwant %x", name, got, c.want)
		}
		var got Control
		rule, truncated := ParseControl(c.want, len(c.want), &got)
		if rule != Accepted || truncated || got != c.c {
			t.Errorf("%s: %v, %v\ngot  %+v\nwant %+v", name, rule, truncated, got, c.c)
		}
	}
}

// TestRules breaks one property of a valid packet each.
func TestRules(t *testing.T) {
	set := func(at int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	auth := func(kind, n byte, rest int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[1], b[3] = b[1]|flagAuth, byte(HeaderLen+authHeadLen+rest)
			return append(append(b, kind, n), make([]byte, rest)...)
		}
	}
	for name, c := range map[string]struct {
		bend func([]byte) []byte
		want Rule
	}{
		"nothing":                          {set(0), Accepted},
		"version 0":                        {set(0, 0x00), RuleVersion},
		"version 2":                        {set(0, 0x40), RuleVersion},
		"Length 23":                        {set(3, 23), RuleLength},
		"Length 25 with A":                 {set(1, 0xc4, 3, 25), RuleLength},
		"Length above the payload":         {set(3, 25), RulePayloadLength},
		"23 bytes":                         {cut(23), RulePayloadLength},
		"2 bytes":                          {cut(2), RulePayloadLength},
		"nothing at all":                   {cut(0), RulePayloadLength},
		"Detect Mult 0":                    {set(2, 0), RuleDetectMult},
		"M":                                {set(1, 0xc1), RuleMultipoint},
		"My Discriminator 0":               {set(4, 0, 0, 0, 0), RuleMyDiscriminator},
		"Your Discriminator 0, Up":         {set(8, 0, 0, 0, 0), RuleYourDiscriminator},
		"Your Discriminator 0, Init":       {set(1, 0x80, 3, 24, 0, 0, 0, 1, 0, 0, 0, 0), RuleYourDiscriminator},
		"Your Discriminator 0, Down":       {set(1, 0x40, 3, 24, 0, 0, 0, 1, 0, 0, 0, 0), Accepted},
		"Your Discriminator 0, AdminDown":  {set(1, 0x00, 3, 24, 0, 0, 0, 1, 0, 0, 0, 0), Accepted},
		"Your Discriminator 0, Up, M":      {set(1, 0xc1, 3, 24, 0, 0, 0, 1, 0, 0, 0, 0), Accepted},
		"password of 1":                    {auth(AuthPassword, 4, 2), Accepted},
		"password of 16":                   {auth(AuthPassword, 19, 17), Accepted},
		"password of 0":                    {auth(AuthPassword, 3, 1), RuleAuthentication},
		"password of 17":                   {auth(AuthPassword, 20, 18), RuleAuthentication},
		"MD5":                              {auth(AuthMD5, 24, 22), Accepted},
		"meticulous MD5":                   {auth(AuthMeticulousMD5, 24, 22), Accepted},
		"MD5, too short":                   {auth(AuthMD5, 23, 22), RuleAuthentication},
		"MD5, too long":                    {auth(AuthMD5, 25, 23), RuleAuthentication},
		"SHA1":                             {auth(AuthSHA1, 28, 26), Accepted},
		"SHA1, above Length":               {auth(AuthSHA1, 28, 25), RuleAuthentication},
		"SHA1, of MD5's length":            {auth(AuthMeticulousSHA1, 24, 26), RuleAuthentication},
		"NULL":                             {auth(AuthNull, 8, 6), Accepted},
		"NULL without its sequence number": {auth(AuthNull, 7, 6), RuleAuthentication},
		"ISAAC":                            {auth(AuthOptimizedMD5, 16, 14), Accepted},
		"ISAAC's full digest":              {auth(AuthOptimizedSHA1, 28, 26), Accepted},
		"type not assigned":                {auth(200, 2, 0), Accepted},
		"type not assigned, above Length":  {auth(200, 3, 0), RuleAuthentication},
		"section of no length":             {auth(200, 0, 0), RuleAuthentication},
	} {
		p := up()
		b := c.bend(AppendControl(nil, &p))
		if got, truncated := ParseControl(b, len(b), &p); got != c.want || truncated {
			t.Errorf("%s: got %v (truncated %v), want %v", name, got, truncated, c.want)
		}
	}
}

// TestOrderOfRules: of several rules broken the first counts.
func TestOrderOfRules(t *testing.T) {
	p := Control{Multipoint: true, AuthPresent: true, State: Up, Length: 200}
	b := AppendControl(nil, &p)[:30]
	for _, step := range []struct {
		want Rule
		mend func()
	}{
		{RuleVersion, func() { b[0] = 0x20; b[3] = 25 }},
		{RuleLength, func() { b[3] = 31 }},
		{RulePayloadLength, func() { b[3] = 30 }},
		{RuleDetectMult, func() { b[2] = 1; b[8] = 1 }},
		{RuleMultipoint, func() { b[1] &^= flagMultipoint; b[8] = 0 }},
		{RuleMyDiscriminator, func() { b[4] = 1 }},
		{RuleYourDiscriminator, func() { b[8] = 1; b[25] = 7 }},
		{RuleAuthentication, func() { b[25] = 6 }},
		{Accepted, func() {}},
	} {
		if got, _ := ParseControl(b, len(b), &p); got != step.want {
			t.Errorf("got %v, want %v", got, step.want)
		}
		step.mend()
	}
}

// TestCut: what the capture cut off is not judged, and what it left is read.
func TestCut(t *testing.T) {
	whole := up()
	whole.AuthPresent, whole.Length, whole.Padding = true, 48, 10
	whole.Auth = Auth{Type: AuthMD5, KeyID: 3, Sequence: 77, HasSequence: true}
	b := AppendControl(nil, &whole)
	for n := range len(b) + 1 {
		var c Control
		rule, truncated := ParseControl(b[:n], len(b), &c)
		if rule != Accepted || truncated != (n < 48) {
			t.Fatalf("%d bytes: %v, truncated %v", n, rule, truncated)
		}
		for _, f := range []struct {
			end       int
			got, want any
		}{
			{1, c.Version, whole.Version}, {2, c.State, Up}, {3, c.DetectMult, whole.DetectMult},
			{4, c.Length, whole.Length}, {4, c.Padding, whole.Padding},
			{8, c.MyDiscriminator, whole.MyDiscriminator}, {12, c.YourDiscriminator, whole.YourDiscriminator},
			{16, c.DesiredMinTX, whole.DesiredMinTX}, {20, c.RequiredMinRX, whole.RequiredMinRX},
			{24, c.RequiredMinEchoRX, whole.RequiredMinEchoRX},
			{25, c.Auth.Type, whole.Auth.Type}, {27, c.Auth.KeyID, whole.Auth.KeyID}, {32, c.Auth, whole.Auth},
		} {
			if (f.got == f.want) != (n >= f.end) {
				t.Errorf("%d bytes: got %v, whole %v", n, f.got, f.want)
			}
		}
	}
	b[4], b[5], b[6], b[7] = 0, 0, 0, 0
	for n, want := range map[int]Rule{7: Accepted, 8: RuleMyDiscriminator} {
		if got, truncated := ParseControl(b[:n], len(b), &whole); got != want || !truncated {
			t.Errorf("%d bytes: %v, truncated %v", n, got, truncated)
		}
	}
}

func FuzzParseControl(f *testing.F) {
	plain, signed := up(), up()
	signed.AuthPresent, signed.Length, signed.Padding = true, 60, 3
	signed.Auth = Auth{Type: AuthMD5, KeyID: 3, Sequence: 77, HasSequence: true}
	for _, c := range []Control{plain, signed} {
		b := AppendControl(nil, &c)
		f.Add(b, len(b))
		f.Add(b[:11], len(b))
	}
	f.Fuzz(func(t *testing.T, b []byte, length int) {
		var c, again Control
		rule, truncated := ParseControl(b, length, &c)
		if rule != Accepted || truncated || length > 0xffff {
			return
		}
		made := AppendControl(nil, &c)
		if len(made) != length || !bytes.Equal(made[:HeaderLen], b[:HeaderLen]) {
			t.Fatalf("%x, %d bytes, is written as %x", b, length, made)
		}
		if rule, truncated = ParseControl(made, len(made), &again); rule != Accepted || truncated || again != c {
			t.Errorf("%x: %v\nfirst %+v\nagain %+v", b, rule, c, again)
		}
	})
}

func BenchmarkParseControl(b *testing.B) {
	c := up()
	packet := AppendControl(nil, &c)
	b.ReportAllocs()
	for b.Loop() {
		ParseControl(packet, len(packet), &c)
	}
}
