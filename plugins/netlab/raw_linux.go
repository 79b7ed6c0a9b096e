package netlab

import (
	"errors"
	"os"
	"sync"
)

// splice carries packets between two TUN devices, one goroutine a direction.
type splice struct {
	tuns [2]*os.File
	wg   sync.WaitGroup
}

// spliceRaw joins two ends by links without a link header.
func spliceRaw(a, b End) (*splice, error) {
	s := &splice{}
	for i, e := range []End{a, b} {
		err := e.Namespace.Do(func() error {
			fd, err := openTUN(e.Link, 0)
			if err != nil {
				return err
			}
			s.tuns[i] = os.NewFile(uintptr(fd), "tun "+e.Link)
			return lengthenQueue(e.Link)
		})
		if err == nil {
			err = e.raise()
		}
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	s.wg.Go(func() { carry(s.tuns[1], s.tuns[0]) })
	s.wg.Go(func() { carry(s.tuns[0], s.tuns[1]) })
	return s, nil
}

// carry ends when from is closed. What to does not take, because it is down, is lost, as on a wire.
func carry(to, from *os.File) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		_, _ = to.Write(buf[:n])
	}
}

// close ends the splice and removes its devices.
func (s *splice) close() error {
	var errs []error
	for _, t := range s.tuns {
		if t != nil {
			errs = append(errs, t.Close())
		}
	}
	s.wg.Wait()
	return errors.Join(errs...)
}
