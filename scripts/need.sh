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
	export DEBIAN_FRONTEND=noninteractive
	$install >/dev/null 2>&1 || { apt-get update -qq >/dev/null 2>&1 && $install >/dev/null 2>&1; } ||
		die "could not install $1. By hand: apt-get update && $install"
}

# need_daemon COMMAND PACKAGE SERVICE is need for a package that starts its service when it is installed, and at each
# boot: the tests start its programs themselves, in namespaces, and nothing else is to. What starts services on
# installing asks policy-rc.d; one that is there already stays.
need_daemon() {
	if command -v "$1" >/dev/null; then return; fi
	local policy=/usr/sbin/policy-rc.d ours= status=0
	if [ "$(id -u)" = 0 ] && [ ! -e "$policy" ]; then
		ours=yes
		install -m 755 /dev/stdin "$policy" <<<$'#!/bin/sh\nexit 101'
	fi
	(need "$1" "$2") || status=$?
	if [ -n "$ours" ]; then rm "$policy"; fi
	if [ "$status" != 0 ]; then exit "$status"; fi
	update-rc.d "$3" disable >/dev/null 2>&1 || die "could not keep the service $3 from starting at the next boot. By hand: update-rc.d $3 disable"
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
