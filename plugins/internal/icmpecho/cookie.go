package icmpecho

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"net/netip"
)

// CookieLen is what the cookie takes at the start of a payload: 8 bytes of MAC, 4 bytes of probe index.
const CookieLen = 12

// Cookies makes and checks the payloads of one process. The MAC is AES over (run, target, probe index), cut to 64
// bits: one block for an IPv4 target, CBC-MAC over two for an IPv6 target, by a key of its own. It makes a forged
// reply as unlikely as guessing 64 bits, and lets a reply name its probe whatever address it comes from.
//
// Cookies keeps scratch memory: it is for one goroutine at a time. Clone gives another goroutine its own.
type Cookies struct {
	v4, v6 cipher.Block
	run    uint64
	buf    [16]byte
}

// NewCookies takes a secret key and the run's number, both drawn at random by the process.
func NewCookies(key [16]byte, run uint64) *Cookies {
	v4 := newAES(key)
	v4.Encrypt(key[:], key[:])
	return &Cookies{v4: v4, v6: newAES(key), run: run}
}

func newAES(key [16]byte) cipher.Block {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("icmpecho: aes refuses a 16 byte key: " + err.Error()) // cannot be: 16 is a key size of AES
	}
	return block
}

// Clone returns Cookies that make and accept the same payloads.
func (c *Cookies) Clone() *Cookies { return &Cookies{v4: c.v4, v6: c.v6, run: c.run} }

// Append appends the cookie of one probe to dst.
func (c *Cookies) Append(dst []byte, target netip.Addr, index uint32) []byte {
	dst = binary.BigEndian.AppendUint64(dst, c.mac(target, index))
	return binary.BigEndian.AppendUint32(dst, index)
}

// Index returns the probe index that a payload claims; ok is false if it is too short for a cookie.
func Index(payload []byte) (index uint32, ok bool) {
	if len(payload) < CookieLen {
		return 0, false
	}
	return binary.BigEndian.Uint32(payload[8:]), true
}

// Verify tells whether payload bears the cookie of the probe index that was sent to target.
func (c *Cookies) Verify(payload []byte, target netip.Addr, index uint32) bool {
	return len(payload) >= CookieLen && binary.BigEndian.Uint64(payload) == c.mac(target, index)
}

func (c *Cookies) mac(target netip.Addr, index uint32) uint64 {
	binary.BigEndian.PutUint64(c.buf[:], c.run)
	if target.Is4() {
		a := target.As4()
		copy(c.buf[8:], a[:])
		binary.BigEndian.PutUint32(c.buf[12:], index)
		c.v4.Encrypt(c.buf[:], c.buf[:])
		return binary.BigEndian.Uint64(c.buf[:])
	}
	binary.BigEndian.PutUint64(c.buf[8:], uint64(index))
	c.v6.Encrypt(c.buf[:], c.buf[:])
	a := target.As16()
	subtle.XORBytes(c.buf[:], c.buf[:], a[:])
	c.v6.Encrypt(c.buf[:], c.buf[:])
	return binary.BigEndian.Uint64(c.buf[:])
}
