package main

import "github.com/spf13/cobra"

func newTelegraf() *cobra.Command { return &cobra.Command{Use: "telegraf"} }
