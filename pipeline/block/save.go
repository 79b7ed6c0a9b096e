package block

import (
	"compress/gzip"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"slices"
)

// stateVersion is the version of the state. It changes with any type that is in it.
const stateVersion = 2

// ErrOther: the state is of another version, or damaged, and of no use.
var ErrOther = errors.New("block: state of another version")

// savedState is what is written: gob, packed by gzip.
type savedState struct {
	Position  int64
	Instances []*instance
}

// Save writes the state, without the sweeps that are not closed: they are read again from Position on.
func (m *Monitor) Save(w io.Writer) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("block: %w", err)
	}
	state := savedState{Position: m.pos}
	for _, in := range m.instances {
		state.Instances = append(state.Instances, in.saved())
	}
	enc := gob.NewEncoder(z)
	if err = enc.Encode(stateVersion); err == nil {
		err = enc.Encode(&state)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("block: state: %w", err)
	}
	return nil
}

// saved is the instance without the numbers of forgotten blocks, which gob cannot write.
func (in *instance) saved() *instance {
	if !slices.Contains(in.Blocks, nil) {
		return in
	}
	out := *in
	out.Blocks = nil
	if in.Held != nil {
		held := *in.Held
		held.Looks, out.Held = nil, &held
	}
	for n, b := range in.Blocks {
		if b == nil {
			continue
		}
		out.Blocks = append(out.Blocks, b)
		if in.Held != nil {
			out.Held.Looks = append(out.Held.Looks, *in.Held.look(n))
		}
	}
	return &out
}

// Load reads what Save wrote. The error is ErrOther when that is of no use: the caller begins with New.
func Load(cfg Config, r io.Reader) (*Monitor, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOther, err)
	}
	dec, version := gob.NewDecoder(z), 0
	if err := dec.Decode(&version); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOther, err)
	}
	if version != stateVersion {
		return nil, fmt.Errorf("%w: %d, want %d", ErrOther, version, stateVersion)
	}
	var state savedState
	if err := dec.Decode(&state); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOther, err)
	}
	m := New(cfg)
	m.pos, m.instances = state.Position, state.Instances
	for _, in := range m.instances {
		in.begin(m.cfg)
	}
	return m, nil
}

// begin makes what is not in the state.
func (in *instance) begin(cfg Config) {
	in.cfg, in.numbers = cfg, map[[2]string]int{}
	for n := range in.Blocks {
		in.enter(n)
	}
}
