package prober

import (
	"io"
	"sync"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/pcapfile"
)

// saver writes what the rings show to a file of their link type.
type saver struct {
	mu  sync.Mutex
	out io.Writer
	w   *pcapfile.Writer // made with the first packet
	err error
}

// saveTo has what rings show from now on written to out.
func (h *host) saveTo(out io.Writer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.save = &saver{out: out}
}

// Observe shows the engine what a ring has captured, and saves it.
func (h *host) Observe(source int, batch []capture.Packet, through int64) {
	h.engine.Observe(source, batch, through)
	if h.save != nil {
		h.save.write(batch)
	}
}

// saved ends what is written, and returns the first error.
func (h *host) saved() error {
	if h.save == nil {
		return nil
	}
	return h.save.close()
}

func (s *saver) write(batch []capture.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range batch {
		if s.w == nil && s.err == nil {
			s.w, s.err = pcapfile.NewWriter(s.out, batch[i].Link, 0)
		}
		if s.err != nil {
			return
		}
		s.err = s.w.Write(&batch[i])
	}
}

func (s *saver) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil && s.err == nil {
		s.w, s.err = pcapfile.NewWriter(s.out, capture.LinkEthernet, 0) // a file without packets is one, too
	}
	if s.err != nil {
		return s.err
	}
	return s.w.Flush()
}
