package follow

import "slices"

// leaveToTwin tells whether a gzip file is what became of a file that waits, is read or was: it is taken for read as
// soon as that has ended, and read on from where that was left if it is gone.
func (f *Files) leaveToTwin(w *File) bool {
	if !w.zipped || w.ready || !f.c.Follow && f.c.StateFile == "" {
		return false
	}
	if !w.twinSeen {
		w.twinSeen, w.twin = true, f.findTwin(w)
	}
	t := w.twin
	if t == nil || t.file != nil { // t waits itself, or is being read
		return t != nil
	}
	f.state.mu.Lock()
	w.entry.Emitted = max(w.entry.Emitted, t.Emitted)
	f.state.mu.Unlock()
	if t.ended {
		f.drop(w)
		f.state.end(w.entry, w.size, t.last, t.packets)
		return true
	}
	w.twin = nil // gone before it ended
	w.resume()
	return false
}

func (f *Files) findTwin(w *File) *entry {
	begin, err := unzippedHead(w.Path)
	if err != nil {
		return nil // as the reader will say
	}
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	for _, e := range slices.Backward(f.state.entries) {
		if n := e.Head.Bytes; e != w.entry && n >= headSure && n <= int64(len(begin)) && hashed(begin[:n]) == e.Head {
			return e
		}
	}
	return nil
}
