//go:build integration && linux

package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestInfluxDB(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	db, err := StartInfluxDB(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := db.CreateDatabase(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, "d", "m,k=a v=9007199254740993i,s=\"x\" 1700000000000000001\n"); err != nil {
		t.Fatal(err)
	}
	series, err := db.Query(ctx, "d", "SELECT v, s FROM m GROUP BY k")
	if err != nil {
		t.Fatal(err)
	}
	if len(series) != 1 || series[0].Tags["k"] != "a" {
		t.Fatalf("series %+v", series)
	}
	s := series[0]
	if s.Int(0, "v") != 9007199254740993 || s.String(0, "s") != "x" || s.Int(0, "time") != 1700000000000000001 {
		t.Fatalf("row %+v", s)
	}
	if _, err := db.Query(ctx, "d", "SELECT nonsense"); err == nil {
		t.Fatal("a statement that cannot be parsed gave no error")
	}
	out, err := db.QueryFlux(ctx, `from(bucket: "d/autogen") |> range(start: 0) |> filter(fn: (r) => r._field == "v") |> count()`)
	if err != nil || !strings.Contains(out, ",a,1\r\n") {
		t.Fatalf("flux: %q, %v", out, err)
	}
}

func TestTelegraf(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	program, err := Telegraf(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wantOutput(t, program, TelegrafVersion[1:], "version")
	again, err := Telegraf(ctx)
	if err != nil || again != program {
		t.Fatalf("second time: %q, %v", again, err)
	}
}

func TestEmbeddedTelegrafKnowsOurInput(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	program, err := EmbeddedTelegraf(ctx, "../../..")
	if err != nil {
		t.Fatal(err)
	}
	wantOutput(t, program, "icmp_sweep", "plugins", "inputs")
}

func wantOutput(t *testing.T, program, want string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), want) {
		t.Fatalf("%s %v: %v, %q does not hold %q", program, args, err, out, want)
	}
}

// The child must die with the process that started it, however that ends.
func TestInfluxDBDiesWithUs(t *testing.T) {
	if os.Getenv("PARTS_TEST_CHILD") != "" {
		db, err := StartInfluxDB(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("pid", db.Pid())
		select {}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInfluxDBDiesWithUs$", "-test.v=false")
	cmd.Env = append(os.Environ(), "PARTS_TEST_CHILD=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(stdout, "pid %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	for deadline := time.Now().Add(5 * time.Second); running(pid); {
		if time.Now().After(deadline) {
			t.Fatalf("influxd %d outlived us", pid)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// running tells a live process from one that is gone or a zombie, which whoever adopts it may leave about.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return !strings.HasPrefix(rest, " Z")
}
