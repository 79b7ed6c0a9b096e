package netlab

// TB is what a lab needs of a test or benchmark: the commands that make labs link no package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Error(...any)
	Fatal(...any)
}

// Lasting has a lab live as long as a test. lab and err are what its maker has returned.
func Lasting[L interface{ Close() error }](t TB, lab L, err error) L {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	return lab
}

// InPeers runs f in namespace A of peers that live as long as the test. f may end with t.FailNow.
func InPeers(t TB, f func(*Peers)) {
	t.Helper()
	p, err := NewPeers()
	p = Lasting(t, p, err)
	if err := p.A.Do(func() error { f(p); return nil }); err != nil {
		t.Fatal(err)
	}
}
