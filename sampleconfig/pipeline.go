package sampleconfig

import _ "embed" // for the string below

// Pipeline is the sample of echogram-pipeline's configuration.
//
//go:embed pipeline.toml
var Pipeline string
