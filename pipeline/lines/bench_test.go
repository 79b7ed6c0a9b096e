package lines

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// sweepLines are rounds of the same series, as a sweep writes them: about 180 bytes each.
func sweepLines(targets, rounds int) []byte {
	var b bytes.Buffer
	for round := range rounds {
		for i := range targets {
			fmt.Fprintf(&b, "icmp_sweep,block=10.1.%d.0/24,host=prober-1,instance=core,network=10.1.0.0/16,target=10.1.%d.%d ", i/256, i/256, i%256)
			fmt.Fprintf(&b, "sent=1i,received=1i,rtt_ns=%di,ttl=64i,result_code=0i %d\n", 203748+i*17, (1700000000+300*int64(round))*1e9)
		}
	}
	return b.Bytes()
}

// BenchmarkLines reads known series again and again, with memory as a fast file.
func BenchmarkLines(b *testing.B) {
	ms := []Measurement{pings}
	for name, text := range map[string][]byte{
		"icmp_sweep": sweepLines(65536, 2),
		"ping": bytes.Repeat([]byte("ping,host=h,url=192.0.2.1 result_code=0i,packets_transmitted=1i,packets_received=1i,percent_packet_loss=0,ttl=64i,"+
			"average_response_ms=0.203748,minimum_response_ms=0.203748,maximum_response_ms=0.203748 1700000000000000000\n"), 40960),
		"other":   bytes.Repeat([]byte("cpu,cpu=cpu-total,host=h usage_user=0.203748,usage_system=1.5,usage_idle=98.3,usage_nice=0 1700000000000000000\n"), 40960),
		"unusual": bytes.ReplaceAll(sweepLines(4096, 10), []byte("ttl=64i,"), []byte(`mac="a\\b",`)),
	} {
		b.Run(name, func(b *testing.B) {
			in := bytes.NewReader(text)
			r := NewReader(in, ms)
			b.ReportAllocs()
			b.SetBytes(int64(len(text) / bytes.Count(text, []byte{'\n'})))
			for b.Loop() {
				if _, err := r.Next(); err == io.EOF {
					in.Reset(text)
					r.Reset(in)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
