#!/bin/bash
# shell: what people do with a shell to Debian's /usr/share: bash's own loops, arrays, arithmetic and
# text work, and GNU's find, grep, sed, sort, gawk and coreutils in pipes. All of the disk is read, and
# only /tmp is written, so every run starts from the same files. The output is the same wherever the
# script runs: nothing here may depend on times, process numbers, block counts or the order in which a
# file system lists a folder.
set -e -u -o pipefail
export PATH=/usr/bin LC_ALL=C
work=/tmp/shell
mkdir $work
cd /usr/share

say() { printf '== %s\n' "$*"; }
files() { find . -type f "$@" -print0 | sort -z; }
# Not head, which would end those before it by SIGPIPE, or not, as it happens.
first() { sed -n "1,$1p"; }
top() { sort | uniq -c | sort -k 1,1nr -k 2 | first "$1"; }

# The host has read these files before, so the guest may, too.
files | xargs -0 cat | wc -c >/dev/null

/workloads/micro-mark start shell 1

say checksums
files | xargs -0 -n 400 sha256sum >$work/sums
files | xargs -0 md5sum | cut -c 1-32 | sort -u | wc -l
sha256sum <$work/sums
cut -d ' ' -f 1 $work/sums | sort | uniq -d | wc -l

say kinds and sizes
find . -type f -printf '%s %f\n' | gawk '
  { kind = $2 ~ /[^.]\.[^.]+$/ ? gensub(/.*\./, "", 1, $2) : "none"; bytes[kind] += $1; count[kind]++ }
  END { for (kind in bytes) print count[kind], bytes[kind], kind }' | sort -k 1,1nr -k 2 | first 10
find . -type d -links +4 -printf '%P %m\n' | sort | first 20
find . -name '*.cmake' -size +40k -exec stat -c '%n %s %a %F' {} + | sort

say words
files -name '*.rst' | xargs -0 cat | tr -cs 'A-Za-z_' '\n' | grep -E '^.{5,}$' >$work/words
top 25 <$work/words
tr 'A-Z' 'a-z' <$work/words | sort -u >$work/lower
comm -12 $work/lower <(grep -x '[a-z]*' $work/words | sort -u) | wc -l
head -n 40000 $work/words | tac | sort -s | uniq | tail -n 3

say pairs of words
gawk '{ pair = last " " tolower($0); seen[pair]++; last = tolower($0) }
  END { for (pair in seen) if (seen[pair] > 60) print seen[pair], pair }' $work/words |
  sort -k 1,1nr -k 2 | first 12
gawk 'length($0) > 7 { n = split($0, c, ""); for (i = n; i > 1; i--) s[c[i] c[i - 1]]++ }
  END { for (p in s) if (s[p] > 4000) print s[p], p }' $work/words | sort -k 1,1nr -k 2

say what modules define
files -name '*.cmake' | xargs -0 grep -h -o -i -E '^ *(function|macro) *\( *[A-Za-z_0-9]+' |
  sed -E 's/^ *([A-Za-z]+) *\( */\L\1 \E/' | sort -u >$work/defined
cut -d ' ' -f 1 $work/defined | uniq -c
files -name '*.cmake' | xargs -0 grep -h -o -E '\b[a-z_]+ *\(' | tr -d ' (' | sort | uniq -c |
  gawk '{ print $2, $1 }' | sort >$work/used
cut -d ' ' -f 2 $work/defined | sort -u | join - $work/used | sort -k 2,2nr -k 1,1 | first 12

say a table from three columns
gawk '{ print FILENAME, FNR, length($0) }' awk/*.awk | sort >$work/lengths
paste -d : <(cut -d ' ' -f 1 $work/lengths) <(cut -d ' ' -f 3 $work/lengths) |
  gawk -F : '{ n[$1]++; sum[$1] += $2 } END { for (f in n) printf "%-28s %4d %7.3f\n", f, n[f], sum[f] / n[f] }' |
  sort

say arrays
head -n 12000 $work/words >$work/some
declare -A example=() letters=()
declare -i longest=0 total=0
while read -r word; do
  initial=${word:0:1}
  [[ -v example[$initial] ]] || example[$initial]=$word
  letters[$initial]=$((${letters[$initial]:-0} + ${#word}))
  ((total += ${#word}, longest = ${#word} > longest ? ${#word} : longest)) || :
done <$work/some
for initial in $(printf '%s\n' "${!example[@]}" | sort); do
  printf '%s %s %d\n' "$initial" "${example[$initial]}" "${letters[$initial]}"
done
echo "$total letters, at most $longest in a word"

say numbers
sieve() {
  local -i limit=$1 i j count=0
  local -a composite=()
  for ((i = 2; i < limit; i++)); do
    if [[ -z ${composite[i]:-} ]]; then
      count+=1
      for ((j = i * i; j < limit; j += i)); do composite[j]=1; done
    fi
  done
  echo "$count primes below $limit"
}
sieve 4000
collatz() {
  local -i n=$1 steps=0
  while ((n != 1)); do ((n = n % 2 ? 3 * n + 1 : n / 2, steps += 1)); done
  REPLY=$steps
}
best=0 at=0
for ((n = 1; n <= 300; n++)); do
  collatz $n
  ((REPLY > best)) && best=$REPLY at=$n
done
echo "$at takes $best steps"

say text
mapfile -t lines <common-licenses/GPL-3
mapfile -t -O ${#lines[@]} lines <common-licenses/Apache-2.0
mentions=0
for line in "${lines[@]}"; do
  line=${line//[[:space:]]/ }
  case $line in
    *license* | *LICENSE*) ((mentions += 1)) ;;
    *[0-9][0-9][0-9][0-9]*) [[ $line =~ ([0-9]{4}) ]] && years+=" ${BASH_REMATCH[1]}" ;;
  esac
done
echo "$mentions of ${#lines[@]} lines;${years:-}"
for file in common-licenses/*; do
  [[ -L $file ]] && printf '%s -> %s\n' "${file##*/}" "$(readlink "$file")"
done

say vowels
mapfile -t some <$work/some
vowels=0
for word in "${some[@]}"; do
  rest=${word//[^aeiou]/}
  upper=${word^^}
  if [[ ${upper%%_*} == "$word" && $word != *[a-z]* ]]; then capitals+=" $word"; fi
  ((vowels += ${#rest}))
done
echo "$vowels vowels, ${#capitals} letters in capitals"

say one process after the other
for ((i = 1; i <= 100; i++)); do
  name=$(basename "cmake/Help/module-$((i * 7919 % 1000)).rst" .rst)
  echo "$name $( (echo "$name" | tr 'a-z' 'A-Z') | cut -c 1-8)"
done | sort | md5sum

say files made and removed
mkdir $work/copies
n=0
while IFS= read -r file; do
  copy=$work/copies/$((n += 1)).${file##*.}
  sed -e 's/CMake/Make/g' -e '/^$/d' "$file" >"$copy"
  ((n % 3)) || mv "$copy" "$copy.moved"
done < <(find cmake-[0-9]*/Help/command -type f | sort | first 120)
find $work/copies -name '*.moved' | wc -l
cat $work/copies/* | md5sum
for copy in $work/copies/*.moved; do rm "$copy"; done
ls $work/copies | wc -l

say a document
cat <<END | sed 's/^/  /' | tee $work/document | wc -l
Bash has $(compgen -b | wc -l) built-in commands,
/usr/share has $(find . -type f | wc -l) files in $(find . -type d | wc -l) folders,
and 2 to the 40th is $((1 << 40)).
END
cat $work/document
rm -r $work

/workloads/micro-mark stop shell
