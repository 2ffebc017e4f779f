#!/bin/bash
# Text tools: sort, sed, grep, gawk and the rest of a pipeline's usual company.
cd /tmp
seq 1 2000 | gawk '{ printf "%d\t%s\t%d\n", $1, "name" ($1 * 7919) % 1009, ($1 * $1) % 997 }' >table

echo "-- coreutils"
sort -k3,3n -k2,2 table | md5sum; sort -u -k2,2 table | wc -l; sort -rn table | head -n 2
sort -t $'\t' -k2,2V table | sed -n '100p;200p'; sort -c table 2>&1; echo "status $?"; sort -R table | wc -l
sort -S 64K table table table | md5sum; shuf -n 5 table | wc -l; cut -f 2 table | uniq -d | wc -l
cut -d m -f 2 table | sort -n | uniq -c | sort -rn | head -n 2; tr -d '\t' <table | tr 0-9 a-j | tail -n 1
wc table; wc -c -l <table; head -n -1998 table; tail -n +1999 table; tac table | head -n 1; nl -ba table | tail -n 1
paste -sd+ <(seq 10) | sed 's/^/echo $((/; s/$/))/' | bash; join <(sort -k1,1 table | head -n 40) <(sort -k1,1 table) | head -n 2
expand -t 4 table | head -n 1; fold -w 10 <<<"a line that is longer than ten"; fmt -w 20 <<<"some words to be filled into short lines"
comm -3 <(seq 1 5) <(seq 3 7); seq -s, -w 8 11; seq 1 0.5 3; factor 1234567890; expr 3 + 4 \* 2; expr match abc 'a.'; numfmt --to=iec 1048576
md5sum table; sha256sum table; sha1sum <table; cksum <table; b2sum <table | cut -c 1-16; base64 <<<"encode me"; base64 -d <<<ZGVjb2RlZAo=
od -An -tx1 -N 8 table; printf 'caf\xc3\xa9' | od -c; rev <<<abc 2>/dev/null || echo cba; tsort <<<"a b b c"; pr -h x -t <<<page | head -n 1
csplit -s table 500 1000; wc -l xx0*; yes | head -c 100000 | md5sum; echo abc | tee >(cat >copy) | cat; test 1 -lt 2; echo $?

echo "-- grep"
grep -c 1 table; grep -E '^(12|34)\b' table | wc -l; grep -v name table; echo "status $?"; grep -n -m 2 name5 table
grep -o 'name[0-9]*' table | sort -u | wc -l; grep -iF NAME77 table | wc -l; grep -w name7 table; grep -P '\d{4}\t' table | wc -l
grep -rl name5 table copy; grep -q nothing table; echo "status $?"; grep x nofile 2>&1; echo "status $?"; grep -A1 -B1 '^1000' table; fgrep -c . table 2>/dev/null
printf 'a\nb\n' | grep -f <(echo b); grep '\(a\)\1' <<<"xaay"; grep -z . <<<"zero"

echo "-- sed"
sed -n '5,7p' table; sed 's/name\([0-9]*\)/<\1>/; 3q' table; sed -E 's/([0-9]+)\t(.*)/\2 \1/' table | tail -n 1
sed '/name1/d' table | wc -l; sed -i.bak 's/^1\t/one\t/' table; head -n 1 table; cmp table table.bak | cut -d ' ' -f 1-3
sed -n '$=' table; sed 'y/abc/xyz/' <<<aabbcc; sed '1!G;h;$!d' <<<$'1\n2\n3'; sed -e ':a' -e 's/^.\{1,9\}$/ &/;ta' <<<right; sed 's/x/\n/g' <<<1x2
sed -s -n '1p' table table.bak; sed 'n;d' <<<$'a\nb\nc'; sed --expression='$a end' <<<x; sed 'bad' <<<x 2>&1; echo "status $?"

echo "-- gawk"
gawk -F '\t' '{ s[$3 % 10] += $1 } END { for (i = 0; i < 10; i++) printf "%d:%d ", i, s[i]; print "" }' table.bak
gawk 'BEGIN { n = split("a:b:c", p, ":"); print n, p[2], length("hello"), substr("hello", 2, 3), index("hello", "l"), toupper("x") }'
gawk 'BEGIN { printf "%.6f %.6f %.6f %d\n", sin(1), exp(1), sqrt(2), int(-3.7); print 2^53, 1e300 * 10, log(10) }'
gawk 'BEGIN { "echo from a command" | getline x; print x; while (("seq 3" | getline y) > 0) t += y; print t; close("seq 3") }'
gawk '{ print | "sort -rn | head -n 2" } END { close("sort -rn | head -n 2"); print NR }' <(seq 100)
gawk 'BEGIN { while ((getline line < "/tmp/table") > 0) n++; print n; print "to file" > "/tmp/awkout"; close("/tmp/awkout"); system("cat /tmp/awkout") }'
gawk 'match($0, /([a-z]+)([0-9]+)/, m) && NR <= 2 { print m[1], m[2]; gsub(/[0-9]/, "#"); print }' table
gawk 'BEGIN { asort_in["x"] = 3; asort_in["y"] = 1; n = asort(asort_in, o); print n, o[1], o[2]; print strftime("%F", 0, 1), PROCINFO["version"] > "/dev/null"; exit 3 }'; echo "status $?"
gawk -v n=5 'function f(x) { return x < 2 ? 1 : x * f(x - 1) } BEGIN { print f(n), f(20); print ENVIRON["HOME"] == "" ? "" : "home" }'
gawk 'BEGIN { print "stderr" > "/dev/stderr"; print "stdout" > "/dev/stdout"; print length(sprintf("%1000s", "x")) }' 2>&1 | sort
gawk 'BEGIN { RS = ""; FS = "\n" } { print NR ": " $1 "|" $NF }' <<<$'a\nb\n\nc\nd'; gawk 'NR % 500 == 0 { print FNR, FILENAME }' table
