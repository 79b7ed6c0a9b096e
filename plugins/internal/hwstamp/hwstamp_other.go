//go:build !linux

package hwstamp

import "fmt"

// Query fails.
func Query(ifname string) (Info, error) { return Info{}, unsupported(ifname) }

// Enable fails.
func Enable(ifname string) (restore func() error, err error) { return nil, unsupported(ifname) }

func unsupported(ifname string) error {
	return fmt.Errorf("%w: interface %s: hardware stamps need Linux", ErrUnsupported, ifname)
}
