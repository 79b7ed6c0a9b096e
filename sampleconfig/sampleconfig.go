// Package sampleconfig holds the sample configurations, one embedded string a file: what --help, the plugins and
// the quickstart show is what a user can copy. Package strict below it reads configurations.
package sampleconfig
