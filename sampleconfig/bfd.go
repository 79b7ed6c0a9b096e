package sampleconfig

import _ "embed" // for the string below

// BFD is the sample of [[inputs.bfd]].
//
//go:embed bfd.conf
var BFD string
