#!/bin/bash
# Pipelines, here-documents, process substitution, redirections and co-processes.
set -u
cd /tmp

echo "-- pipelines"
seq 1 5000 | sort -rn | head -n 3
printf '%s\n' c b a b | sort | uniq -c | sort -rn
yes line | head -n 100000 | wc
true | false | (exit 7) | true
echo "PIPESTATUS ${PIPESTATUS[*]}"
set -o pipefail
true | (exit 3) | true
echo "pipefail $?"
set +o pipefail
seq 100000 | head -n 1
echo "cut off: ${PIPESTATUS[1]}"
seq 1 20 | while read -r n; do ((n % 5)) || echo "n=$n"; done
echo "stdin of a group" | { read -r line; echo "<$line>"; cat; }

echo "-- here-documents and here-strings"
name=world
cat <<END
hello $name $((6 * 7)) $(echo nested)
	tab kept
END
cat <<-'END' | tr a-z A-Z
	no $expansion here
	END
read -r first rest <<<"one two three"
echo "$first/$rest"
{ for i in {1..5000}; do echo "a long here-document line number $i"; done; } >lines
eval "cat <<END | md5sum
$(cat lines)
END"

echo "-- process substitution"
diff <(seq 1 5) <(seq 1 2 5) | grep -c '^<'
paste <(seq 3) <(seq 4 6) <(seq 7 9)
comm -12 <(printf '%s\n' a b c d) <(printf '%s\n' b d e)
while read -r a b; do echo "$a:$b"; done < <(printf '1 2\n3 4\n')
seq 10 > >(tail -n 1 >last); while ! [ -s last ]; do :; done; cat last
tee >(wc -l >count) <lines >/dev/null; while ! [ -s count ]; do :; done; cat count
cat /dev/fd/3 3<<<"by number"
echo "to stderr" 2>/dev/null >/dev/stderr
echo "through /dev/stdout" >/dev/stdout
echo "from stdin" | cat /dev/stdin

echo "-- redirections"
exec 4>out 5>&1
echo four >&4
echo five >&5
exec 4>&- 5>&-
cat out
{ echo out; echo err >&2; } 2>&1 | sort
{ echo out; echo err >&2; } 2>both >&2; sort both
echo more >>out; echo again >>out; wc -l <out
set -o noclobber
(echo no >out) 2>/dev/null || echo "noclobber $?"
echo yes >|out; cat out
set +o noclobber
exec 6<>out; read -r -u 6 word; echo "rw $word"; echo tail >&6; cat out; exec 6>&-
echo closed >&7
echo "status $?"

echo "-- co-process and command substitution"
coproc UPPER { while read -r l; do echo "${l^^}"; done; }
echo "shout" >&"${UPPER[1]}"
read -r answer <&"${UPPER[0]}"
echo "$answer"
x=$(printf 'trailing newlines\n\n\n'; exit 5)
echo "[$x] $?"
echo "$(echo "$(echo "$(echo deep)")")"
mapfile -t lines < <(seq 3); echo "${#lines[@]} ${lines[2]}"
big=$(seq 30000); echo "${#big}"
mkfifo pipe; (echo through a fifo >pipe &); cat pipe
