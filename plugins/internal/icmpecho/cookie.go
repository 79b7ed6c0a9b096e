package icmpecho

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"net/netip"
)

// CookieLen is what the cookie takes at the start of a payload: 8 bytes of MAC, 4 bytes of probe index.
const CookieLen = 12

// Cookies makes and checks the payloads of one process. The MAC is AES-CBC-MAC over a fixed length of two
// blocks, cut to 64 bits: (target as 16 bytes) and (probe index, run). It makes a forged reply as unlikely as
// guessing 64 bits, and lets a reply name its probe whatever address it comes from.
//
// Cookies keeps scratch memory: it is for one goroutine at a time. Clone gives another goroutine its own.
type Cookies struct {
	block cipher.Block
	run   uint64
	buf   [16]byte
}

// NewCookies takes a secret key and the run's number, both drawn at random by the process.
func NewCookies(key [16]byte, run uint64) *Cookies {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("icmpecho: aes refuses a 16 byte key: " + err.Error()) // cannot be: 16 is a key size of AES
	}
	return &Cookies{block: block, run: run}
}

// Clone returns Cookies that make and accept the same payloads.
func (c *Cookies) Clone() *Cookies { return &Cookies{block: c.block, run: c.run} }

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
	c.buf = target.As16()
	c.block.Encrypt(c.buf[:], c.buf[:])
	binary.BigEndian.PutUint32(c.buf[:], binary.BigEndian.Uint32(c.buf[:])^index)
	binary.BigEndian.PutUint64(c.buf[4:], binary.BigEndian.Uint64(c.buf[4:])^c.run)
	c.block.Encrypt(c.buf[:], c.buf[:])
	return binary.BigEndian.Uint64(c.buf[:])
}

// AppendPattern appends the bytes that fill a payload of size bytes behind the cookie: each byte is its own
// place in the payload, as ping counts them up.
func AppendPattern(dst []byte, size int) []byte {
	for i := CookieLen; i < size; i++ {
		dst = append(dst, byte(i))
	}
	return dst
}

// PatternIntact tells whether the payload behind the cookie came back as AppendPattern wrote it, in full length.
// cut says that the capture kept less than the wire carried: then only what is there is judged.
func PatternIntact(payload []byte, size int, cut bool) bool {
	if len(payload) != size && (!cut || len(payload) > size) {
		return false
	}
	for i := CookieLen; i < len(payload); i++ {
		if payload[i] != byte(i) {
			return false
		}
	}
	return true
}
