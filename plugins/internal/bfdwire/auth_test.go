package bfdwire

import (
	"strings"
	"testing"
)

// TestPasswordOfAnotherType: what does not fit its type may be a password under a wrong one.
func TestPasswordOfAnotherType(t *testing.T) {
	for kind := byte(AuthMD5); kind <= AuthMeticulousSHA1; kind++ {
		p := up()
		b := append(AppendControl(nil, &p), kind, 9, 7, 's', 'e', 'c', 'r', 'e', 't')
		b[1], b[3] = b[1]|flagAuth, byte(len(b))
		if rule, _ := ParseControl(b, len(b), &p); rule != RuleAuthentication || p.Auth.HasSequence || p.Auth.Sequence != 0 {
			t.Errorf("type %d: %v, %+v", kind, rule, p.Auth)
		}
	}
}

// TestAuthBytes reads sections as they stand behind byte 24, and as much of them as may be told.
func TestAuthBytes(t *testing.T) {
	for name, c := range map[string]struct {
		section    []byte
		want       Auth
		meticulous bool
		typeName   string
	}{
		"password": {
			unhex(t, "01", "09", "07", "736563726574"), // type, length, key ID, password
			Auth{Type: AuthPassword, KeyID: 7}, false, "Simple Password",
		},
		"MD5": {
			unhex(t, "02", "18", "01", "00", "00000005", strings.Repeat("ab", 16)), // reserved, sequence number, digest
			Auth{Type: AuthMD5, KeyID: 1, Sequence: 5, HasSequence: true}, false, "Keyed MD5",
		},
		"meticulous MD5": {
			unhex(t, "03", "18", "01", "00", "ffffffff", strings.Repeat("ab", 16)),
			Auth{Type: AuthMeticulousMD5, KeyID: 1, Sequence: 0xffffffff, HasSequence: true}, true, "Meticulous Keyed MD5",
		},
		"SHA1": {
			unhex(t, "04", "1c", "00", "00", "00000005", strings.Repeat("ab", 20)),
			Auth{Type: AuthSHA1, Sequence: 5, HasSequence: true}, false, "Keyed SHA1",
		},
		"meticulous SHA1": {
			unhex(t, "05", "1c", "ff", "00", "00000000", strings.Repeat("ab", 20)),
			Auth{Type: AuthMeticulousSHA1, KeyID: 255, HasSequence: true}, true, "Meticulous Keyed SHA1",
		},
		"NULL": {
			unhex(t, "06", "08", "00", "00", "00000009"),
			Auth{Type: AuthNull, Sequence: 9, HasSequence: true}, true, "NULL",
		},
		"ISAAC with MD5": {
			unhex(t, "07", "10", "02", "01", "00000009", "0102030405060708"),
			Auth{Type: AuthOptimizedMD5, KeyID: 2, Sequence: 9, HasSequence: true}, true, "Optimized MD5 Meticulous Keyed ISAAC",
		},
		"ISAAC with SHA-1": {
			unhex(t, "08", "1c", "02", "00", "00000009", strings.Repeat("ab", 20)),
			Auth{Type: AuthOptimizedSHA1, KeyID: 2, Sequence: 9, HasSequence: true}, true, "Optimized SHA-1 Meticulous Keyed ISAAC",
		},
		"not assigned": {
			unhex(t, "09", "09", "02", "736563726574"),
			Auth{Type: 9, KeyID: 2}, false, "",
		},
	} {
		p := up()
		b := append(AppendControl(nil, &p), c.section...)
		b[1], b[3] = b[1]|flagAuth, byte(len(b))
		if rule, _ := ParseControl(b, len(b), &p); rule != Accepted || p.Auth != c.want {
			t.Errorf("%s: %v, %+v", name, rule, p.Auth)
		}
		if p.Auth.Meticulous() != c.meticulous || p.Auth.Name() != c.typeName {
			t.Errorf("%s: meticulous %v, %q", name, p.Auth.Meticulous(), p.Auth.Name())
		}
	}
}

// TestNoPassword: whatever its section claims, nothing of a password is in what was read.
func TestNoPassword(t *testing.T) {
	const password = "\xf1\xf2\xf3\xf4\xf5\xf6"
	without := up()
	b := AppendControl(nil, &without)
	b[1] |= flagAuth
	for n := range 256 {
		section := append([]byte{AuthPassword, byte(n), 7}, password...)
		var c Control
		packet := append(b[:HeaderLen:HeaderLen], section...)
		packet[3] = byte(len(packet))
		ParseControl(packet, len(packet), &c)
		c.Auth.KeyID = 0
		if c.Auth != (Auth{Type: AuthPassword}) {
			t.Errorf("length %d: %+v", n, c.Auth)
		}
	}
}
