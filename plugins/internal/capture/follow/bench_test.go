package follow

import (
	"io"
	"os"
	"testing"

	"echogram/plugins/internal/capture/pcapfile"
)

// BenchmarkNext is the way of a packet with and without this package.
func BenchmarkNext(b *testing.B) {
	const packets = 200_000
	stamps := make([]int64, packets)
	for i := range stamps {
		stamps[i] = 1700000000_000000000 + int64(i)
	}
	path := b.TempDir() + "/a.pcap"
	if err := os.WriteFile(path, pcap(b, stamps...), 0o644); err != nil {
		b.Fatal(err)
	}
	report := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
	}
	b.Run("pcapfile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			in, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			r, err := pcapfile.NewReader(in)
			for err == nil {
				_, err = r.Next()
			}
			in.Close()
		}
		report(b)
	})
	b.Run("follow", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, err := Open(Config{Patterns: []string{path}})
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				_, err = f.Next(b.Context())
			}
			if err != io.EOF {
				b.Fatal(err)
			}
		}
		report(b)
	})
}
