#!/bin/busybox sh
# busybox-script TREE: what people do to a tree of text with a shell: find, sort, grep, awk, md5sum,
# in pipes. All work is BusyBox's own; its output is the same wherever it runs, so nothing here
# may depend on times, process numbers or the order in which a file system lists a folder.
set -e
export PATH=/tmp/bin LC_ALL=C
tree=$1
work=/tmp/work
/bin/busybox mkdir -p /tmp/bin $work
# No xargs here: this BusyBox (1.35) garbles a name that did not fit into one command.
for applet in awk cat cut find grep head md5sum mkdir mv rm sed sort tail tr uniq wc; do
  /bin/busybox ln -sf /bin/busybox /tmp/bin/$applet
done
cd "$tree"

/workloads/micro-mark start busybox-script 1

echo "== files by kind"
find . -type f | sort >$work/files
sed 's/.*\.//' $work/files | sort | uniq -c

echo "== checksum of all checksums"
find . -type f -exec md5sum {} + | sort -k 2 >$work/sums
md5sum <$work/sums

echo "== files twice"
cut -c 1-32 $work/sums | sort | uniq -d | wc -l

echo "== frequent words"
find . '(' -name '*.txt' -o -name '*.h' ')' -exec cat {} + | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' |
  sort | uniq -c | sort -k 1,1nr -k 2 | head -n 12

echo "== errors by network"
find . -name '*.log' -exec grep -h ' ERROR ' {} + | sed 's/.* \(10\.0\.[0-9]*\)\..*/\1/' |
  sort | uniq -c

echo "== slow ones"
cat */log/*.log | awk '$6 == "took" && $7 > 4900 { n++; ms += $7 }
  END { print n, "lines,", ms, "ms" }'

echo "== sums by group"
awk -F, 'FNR > 1 { sum[$3] += $4 * $5; rows++ }
  END { for (group in sum) printf "%s %.2f\n", group, sum[group]; print "all", rows }' */data/*.csv |
  sort -k 2,2nr -k 1,1 | head -n 8

echo "== calls that pass flags"
grep -r -l -e '-EINVAL' . | sort | wc -l
grep -r -h -E '= [a-z]+\([a-z]+, flags\);' . | sed 's/.*= \([a-z]*\)(.*/\1/' |
  sort | uniq -c | sort -k 1,1nr -k 2 | head -n 8

echo "== one process a project"
for project in */; do
  echo "$project $(find "$project" -name '*.h' | wc -l) $(cat "$project"data/*.csv | wc -c)"
done | sort | tail -n 6

echo "== copies"
mkdir -p $work/copies
head -n 60 $work/files | while read -r file; do
  sed 's/flags/modes/g' "$file" >$work/copies/new
  mv $work/copies/new "$work/copies/$(echo "${file#./}" | tr '/' '_')"
done
cat $work/copies/* | md5sum
rm -r $work

/workloads/micro-mark stop busybox-script
