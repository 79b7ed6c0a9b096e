package main

import "strconv"

// bfdReader is a program that reads a file.
type bfdReader struct {
	name    string
	program string
	ours    bool
	slice   bool // it reads the beginning of the file only
	args    func(path string, streams int) []string
}

const (
	nameBFD    = "echogram bfd"
	nameEngine = "its engine alone"
	nameTshark = "tshark -T fields"
	namePcapgo = "bare pcapgo loop"
)

// bfdReaders lists who reads. self is this program.
func bfdReaders(echogram, self string) []bfdReader {
	inside := func(name string) func(string, int) []string {
		return func(path string, streams int) []string { return []string{"loop", name, path, strconv.Itoa(streams)} }
	}
	return []bfdReader{
		{name: nameBFD, program: echogram, ours: true, args: func(path string, streams int) []string {
			return []string{"bfd", "--format", "influx", "--period", "10s", "--max-sessions", strconv.Itoa(streams), path}
		}},
		{name: nameEngine, program: self, ours: true, args: inside(loopEngine)},
		{name: namePcapgo, program: self, ours: true, args: inside(loopPcapgo)},
		{name: nameTshark, program: "tshark", slice: true, args: tsharkFields},
	}
}

// tsharkFields asks for what identifies a packet, what it says and when it came.
func tsharkFields(path string, _ int) []string {
	args := []string{"-n", "-r", path, "-Y", "(bfd || bfd_echo) && !icmp && !icmpv6", "-T", "fields"}
	for _, f := range []string{"ip.src", "ip.dst", "udp.dstport", "bfd.sta", "bfd.my_discriminator", "bfd.your_discriminator", "frame.time_epoch"} {
		args = append(args, "-e", f)
	}
	return args
}
