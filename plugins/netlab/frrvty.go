package netlab

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

// vtyTimeout bounds a conversation with a daemon of FRR.
const vtyTimeout = 3 * time.Second

// vty gives commands to a daemon of FRR, as vtysh does, and returns what it said to the last: a command ends with a
// zero byte, an answer with three and a code (lib/vty.c, vtysh/vtysh.c).
func vty(socket string, commands ...string) (answer string, err error) {
	conn, err := net.DialTimeout("unix", socket, vtyTimeout)
	if err != nil {
		return "", fmt.Errorf("netlab: frr: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(vtyTimeout)); err != nil {
		return "", fmt.Errorf("netlab: frr: %w", err)
	}
	r := bufio.NewReader(conn)
	for _, c := range append([]string{"enable"}, commands...) {
		if _, err := conn.Write([]byte(c + "\x00")); err != nil {
			return "", fmt.Errorf("netlab: frr: %q: %w", c, err)
		}
		text, code, err := readVTY(r)
		if err != nil {
			return "", fmt.Errorf("netlab: frr: %q: %w", c, err)
		}
		if answer = strings.TrimSpace(text); code != 0 {
			return "", fmt.Errorf("netlab: frr: %q: %s (code %d)", c, answer, code)
		}
	}
	return answer, nil
}

// readVTY reads one answer.
func readVTY(r *bufio.Reader) (text string, code byte, err error) {
	if text, err = r.ReadString(0); err != nil {
		return "", 0, err
	}
	if _, err = r.Discard(2); err != nil {
		return "", 0, err
	}
	code, err = r.ReadByte()
	return text[:len(text)-1], code, err
}
