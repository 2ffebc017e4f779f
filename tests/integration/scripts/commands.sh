#!/bin/bash
# Each of coreutils' commands once, with findutils, gawk, grep, sed and diff: output and status of
# each must be the host's. Nothing here may depend on time, inode numbers or the machine.
cd /tmp && mkdir commands && cd commands || exit 1
export TZ=UTC
umask 022
try() {
  echo "\$ $*"
  "$@" 2>&1 </dev/null
  echo "= $?"
}
script() {
  echo "\$ $1"
  bash -c "$1" 2>&1 </dev/null
  echo "= $?"
}

seq 1 30 >numbers
printf 'pear 3\napple 1\nfig 22\napple 1\n' >fruit
printf 'a\tb\tc\n\td\te\n' >tabs
sort fruit >sorted
touch -d '2001-02-03 04:05:06 UTC' dated

# What does not need a file.
try arch; try basename /usr/lib/x.so .so; try dirname /usr/lib/x.so; try echo -e 'a\tb\x41'
try expr 6 '*' 7; try expr abcde : 'ab\(.*\)e'; try factor 97 360 18446744073709551557; try false
try printf '%5.2f|%-4s|%x|%q\n' 3.14159 ab 255 'a b'; try seq -w 8 11; try seq -s, 1 0.5 3; try true
try test -d /tmp; try [ 3 -gt 4 ]; try pathchk -p 'a:b'; try pathchk /tmp/ok; try uname -s
try numfmt --to=iec 1048576 1500; try numfmt --from=si 1.5K; try date -u -d @981173106 +%FT%T
try date -u -d '2001-02-03 + 1 month' +%F; try nproc; try whoami; try id; try id -u; try groups
try tty; try printenv TZ; try env -i A=1 printenv; try dircolors -b /dev/null; try hostid x
try nice -n 39 nice; try nohup echo x; try timeout 5 true; try timeout 0.1 sleep 10
script 'timeout -s KILL 0.1 sleep 10' 2>/dev/null; try timeout --preserve-status 0.1 sleep 10; try sleep 0.01
try stty size; try users; try pwd; try sync; try mktemp -u /tmp/commands/fixed; try yes --version-x

# Reading.
try cat -A tabs; try cat -n fruit; try tac fruit; try head -n 3 numbers; try head -c -70 numbers
try tail -n 2 numbers; try tail -c +75 numbers; try nl -ba tabs; try od -An -tx1 -c tabs; try wc fruit numbers
try cut -d' ' -f2 fruit; try cut -c1-3 fruit; try paste -sd+ numbers; try paste fruit sorted; try fold -w 7 fruit
try fmt -w 20 numbers; try pr -t -3 -l 10 numbers; try expand tabs; try unexpand -a tabs; try sort -k2n -u fruit
try sort -c fruit; try uniq -c sorted; try uniq -d sorted; try comm -12 sorted sorted; try join sorted sorted
try tsort fruit; try ptx -w 40 fruit; try shuf -n 0 fruit; try shuf -i 5-5; try split -n 3 -d numbers part
script 'csplit -s numbers 10 20 && cat xx01 | tr "\n" " "'; script 'tr a-z A-Z <fruit | tr -d "\n"'
script 'tr -cs 0-9 : <numbers'; script 'tee copy <fruit | sum; cmp copy fruit'; script 'yes | head -n 3'
script 'base64 fruit | base64 -d'; script 'base32 fruit; basenc --z85 -w0 <<<abc'
for sum in cksum sum b2sum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum; do try $sum fruit; done
script 'md5sum fruit >sums; md5sum -c sums; echo x >>copy; md5sum copy | cmp - sums'
script 'stdbuf -oL cat fruit | head -n 1'; script 'seq 100000 | tail -n 1'; script 'dd if=numbers bs=10 skip=2 count=1 2>/dev/null'

# Changing.
try cp -av fruit b; try mv -v b c; try ln -v c d; try ln -sv c link; try readlink -f link; try realpath link
try stat -c '%F %a %h %s %U %Y' dated; try stat -L -c %F link; try link c e; try unlink e; try rm -v d
try mkdir -pv x/y/z; try rmdir -pv x/y/z; try mkfifo -m 600 pipe; try mknod -m 620 other p; try stat -c '%F %a' pipe other
try install -m 750 -D fruit deep/er/file; try stat -c %a deep/er/file; try chmod -v u=rwx,go= c; try chmod 7777 c
try stat -c %A c; try chown 12:34 c; try stat -c %u:%g c; try chgrp 56 c; try truncate -s 10K c; try du --apparent-size c
try shred -u c; try touch -r dated new; try stat -c %y new; try test new -nt dated; try test fruit -ef fruit
try cp nowhere there; try rm nowhere; try rmdir deep; try mv deep deep/er; try ln fruit fruit; try cat .
try rm -rv deep; try ls -1F; try dir; try vdir --time-style=+ dated; try ls -l --time-style=+%s dated; try ls nowhere
try chroot / /bin/true; try cp -r /etc/passwd /tmp/commands/pass; try df --output=target,fstype /proc

# The others.
script 'find . -name "x*" -newer dated | sort'; script 'find . -type f -size -1k -printf "%f %s\n" | sort'
script 'find . -name "xx*" -print0 | sort -z | xargs -0 -n1 basename'; script 'seq 5 | xargs -n2 echo -'
script 'seq 9 | xargs -P2 -I{} true {}; echo $?'; try find nowhere; try find numbers -exec false ';'
try gawk '{ s += $2 } END { print s, length("äö"), strftime("%F", 0, 1) }' fruit
try gawk 'BEGIN { "echo hi" | getline x; print x; print toupper(x) | "cat" ; printf "%c\n", 65 }'
try grep -c apple fruit; try grep -nE '^[fp]' fruit; try grep -q nothing fruit; try grep -r --include=fruit pear .
try sed -n '2,3s/a/A/gp' fruit; script 'sed -i.bak 2d fruit; cat fruit; wc -l <fruit.bak'; try diff fruit fruit.bak
try diff -u --label a --label b sorted fruit; try cmp sorted fruit; try ls /proc/self/fd
script 'exec 5<fruit; readlink /proc/self/fd/5; cat <&5 | md5sum'; script 'cat /proc/$$/comm; tr "\0" " " </proc/self/cmdline'
script 'ulimit -n 20; ulimit -n; (ulimit -c 0; ulimit -c)'; script 'kill -l | head -n 2; kill -TERM $$' 2>/dev/null
script 'trap "echo usr1" USR1; kill -USR1 $$; echo on'; script 'set -m; sleep 5 & kill -9 %1; wait %1 2>/dev/null; echo $?'
cd / && rm -r /tmp/commands
