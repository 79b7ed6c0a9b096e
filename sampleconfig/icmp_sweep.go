package sampleconfig

import _ "embed" // for the string below

// ICMPSweep is the sample of [[inputs.icmp_sweep]].
//
//go:embed icmp_sweep.conf
var ICMPSweep string
