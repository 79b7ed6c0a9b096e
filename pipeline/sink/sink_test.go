package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"echogram/pipeline/influx"
	"echogram/plugins/schema"
)

// batches keeps what is written and answers with errs in turn, then with nil.
type batches struct {
	got  []string
	errs []error
}

func (b *batches) Write(_ context.Context, lines []byte) error {
	if len(b.errs) > 0 {
		err := b.errs[0]
		b.errs = b.errs[1:]
		if err != nil {
			return err
		}
	}
	b.got = append(b.got, string(lines))
	return nil
}

func rows(n int) []schema.Row {
	all := make([]schema.Row, n)
	for i := range all {
		all[i] = &schema.LateRow{Series: schema.Series{Target: "a"}, Time: int64(i), Late: 1}
	}
	return all
}

func line(i int) string { return fmt.Sprintf("icmp_sweep,target=a late=1i %d\n", i) }

func text(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(line(i))
	}
	return b.String()
}

func TestBatches(t *testing.T) {
	var to batches
	b := NewBatcher(&to, 3, nil)
	all := rows(8)
	if err := errors.Join(b.Put(t.Context(), all[:2]...), b.Put(t.Context(), all[2:]...), b.Flush(t.Context()), b.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if want := []string{text(0, 3), text(3, 6), text(6, 8)}; !slices.Equal(to.got, want) || b.Rows() != 8 {
		t.Errorf("%d rows: %q", b.Rows(), to.got)
	}
}

// TestFailedBatchIsKept: it is written when the sink takes it again, and nothing is lost or doubled.
func TestFailedBatchIsKept(t *testing.T) {
	down := errors.New("down")
	to := batches{errs: []error{nil, down, down}}
	b := NewBatcher(&to, 3, nil)
	all := rows(8)
	if err := b.Put(t.Context(), all...); !errors.Is(err, down) || b.Rows() != 6 {
		t.Fatal(err, b.Rows())
	}
	if err := b.Flush(t.Context()); !errors.Is(err, down) {
		t.Fatal(err)
	}
	if err := errors.Join(b.Put(t.Context(), all[b.Rows():]...), b.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if strings.Join(to.got, "") != text(0, 8) {
		t.Errorf("%q", to.got)
	}
}

// TestRefusedLinesDoNotStopTheRest: the sink has stored the others, so that the batch is done.
func TestRefusedLinesDoNotStopTheRest(t *testing.T) {
	refused := &influx.Refused{Batch: 3, Lines: []influx.RefusedLine{{Number: 2, Text: "x", Err: &influx.Error{Status: 400}}}}
	to := batches{errs: []error{refused}}
	b := NewBatcher(&to, 3, nil)
	err := errors.Join(b.Put(t.Context(), rows(8)...), b.Flush(t.Context()))
	var r *influx.Refused
	if !errors.As(err, &r) || r != refused || strings.Join(to.got, "") != text(3, 8) || b.Rows() != 8 {
		t.Errorf("%v: %d rows, %q", err, b.Rows(), to.got)
	}
}

func TestRowThatCannotBeWritten(t *testing.T) {
	var to batches
	b := NewBatcher(&to, 3, nil)
	bad := &schema.LateRow{Series: schema.Series{Target: "a\nb"}}
	if err := b.Put(t.Context(), rows(1)[0], bad); err == nil || b.Rows() != 1 {
		t.Error(err, b.Rows())
	}
	if err := b.Flush(t.Context()); err != nil || strings.Join(to.got, "") != line(0) {
		t.Errorf("%v, %q", err, to.got)
	}
}

// TestFieldsOfTargets: rollups of targets keep what is wanted, and go when nothing is left; all other rows stay whole.
func TestFieldsOfTargets(t *testing.T) {
	var to batches
	b := NewBatcher(&to, 9, []string{"sent", "rtt_mean_ns"})
	target := &schema.SweepRollupRow{Series: schema.Series{Target: "a"}, Window: "1h", Time: 1}
	target.RTTMean = schema.Some(7)
	silent := &schema.RTTRollupRow{Of: "ping", Window: "1h", Time: 1, Points: 3}
	if err := errors.Join(b.Put(t.Context(), target, silent, rows(1)[0]), b.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if want := "icmp_sweep_rollup,target=a,window=1h sent=0i,rtt_mean_ns=7i 1\n" + line(0); strings.Join(to.got, "") != want || b.Rows() != 2 {
		t.Errorf("%d rows:\n%s\nwant\n%s", b.Rows(), to.got, want)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.line")
	write := func(lines ...string) {
		t.Helper()
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if err := f.Write(t.Context(), []byte(l)); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(text(0, 2), text(2, 3))
	write("", "torn")
	write(text(3, 4))
	got, err := os.ReadFile(path)
	if want := text(0, 3) + "torn\n" + line(3); err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// TestWrittenBeforeClose: what Write has acknowledged does not wait in our own memory.
func TestWrittenBeforeClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.line")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Write(t.Context(), []byte(line(0))); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != line(0) {
		t.Errorf("%q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Write(ctx, []byte(line(1))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFileErrors(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "sink: ") {
		t.Error(err)
	}
	f, err := Open(filepath.Join(t.TempDir(), "rows.line"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(t.Context(), []byte(line(0))); !errors.Is(err, os.ErrClosed) || !strings.HasPrefix(err.Error(), "sink: ") {
		t.Error(err)
	}
}

func TestStdoutStaysOpen(t *testing.T) {
	if err := errors.Join(Stdout().Close(), Stdout().Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stdout.Stat(); err != nil {
		t.Error(err)
	}
}
