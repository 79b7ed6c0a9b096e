#!/usr/bin/env bash
# Sourced by the scripts: installs what they need from Debian, and says so.

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# need COMMAND PACKAGE installs the Debian package that holds a command, unless the command is there.
need() {
	if command -v "$1" >/dev/null; then return; fi
	local install="apt-get install -y --no-install-recommends $2"
	command -v apt-get >/dev/null || die "needs $1, which is in Debian's package $2; install it by this system's means"
	[ "$(id -u)" = 0 ] || die "needs $1. As root: $install"
	echo "${0##*/}: installing $2 for $1: $install" >&2
	$install >/dev/null 2>&1 || { apt-get update -qq >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive $install >/dev/null 2>&1; } ||
		die "could not install $1. By hand: apt-get update && $install"
}

# gcc without the C library's headers can link nothing.
need_gcc() {
	need gcc gcc
	if ! echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1; then
		local install="apt-get install -y --no-install-recommends libc6-dev"
		echo "${0##*/}: installing libc6-dev for gcc: $install" >&2
		$install >/dev/null 2>&1 || die "could not install libc6-dev. By hand: apt-get update && $install"
	fi
}
