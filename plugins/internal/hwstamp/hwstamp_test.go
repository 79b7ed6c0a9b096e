package hwstamp

import (
	"errors"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		info Info
		want string
	}{
		{Info{"eth0", 0, true, true}, ""},
		{Info{"eth0", -1, true, true}, "hwstamp: not supported: interface eth0 lacks in hardware: a clock"},
		{Info{"eth0", 3, false, true}, "hwstamp: not supported: interface eth0 lacks in hardware: stamps of what it sends"},
		{Info{"veth0", -1, false, false}, "hwstamp: not supported: interface veth0 lacks in hardware: stamps of what it sends, stamps of all it receives, a clock"},
	} {
		err := c.info.Check()
		if c.want == "" {
			if err != nil {
				t.Errorf("%+v: %v", c.info, err)
			}
			continue
		}
		if !errors.Is(err, ErrUnsupported) || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.info, err, c.want)
		}
	}
}
