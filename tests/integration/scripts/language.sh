#!/bin/bash
# The language itself: arithmetic, arrays, expansions, globbing, functions, subshells.
cd /tmp

echo "-- arithmetic"
echo $((7 / 2)) $((-7 % 3)) $((2 ** 40)) $((0x1f + 010 + 2#101)) $((1 << 62)) $((5 > 3 ? 10 : 20))
let 'a = 5, b = a++ + ++a'; echo "$a $b"
for ((i = 0, sum = 0; i < 1000; i++)); do ((sum += i * i)); done; echo "$sum"
echo $((1 / 0)) 2>&1; echo "status $?"
fib() { local n=$1; if ((n < 2)); then echo "$n"; else echo $(($(fib $((n - 1))) + $(fib $((n - 2))))); fi; }
fib 9

echo "-- arrays"
array=(zero one "two words" three); array[7]=seven
echo "${#array[@]} ${!array[@]} ${array[-1]} ${array[@]:1:2}"
printf '<%s>' "${array[@]}"; echo
unset 'array[1]'; array+=(last); echo "${array[*]}"
declare -A map=([red]=1 [green]=2 [blue]=3); map[black]=0
for key in $(printf '%s\n' "${!map[@]}" | sort); do echo -n "$key=${map[$key]} "; done; echo
IFS=, read -ra fields <<<"a,b,,d"; echo "${#fields[@]} ${fields[3]}"
declare -i number=5; number+=3; declare -r fixed=1; (fixed=2) 2>/dev/null || echo "read-only $number"

echo "-- expansions"
path=/usr/local/lib/libfoo.so.1
echo "${path##*/} ${path%/*} ${path%%.*} ${path#*/} ${path/lib/LIB} ${path//lib/LIB} ${#path}"
unset nothing; empty=
echo "${nothing-default} ${nothing:=assigned} ${empty:-replaced} ${path:+set} ${path:5:5} ${path: -4}"
word=Hello; echo "${word^^} ${word,,} ${word~} ${word@Q} ${!word@}"
(: "${missing?is missing}") 2>/dev/null; echo "status $?"
echo {a,b}{1..3} {10..1..3} {x,y{1,2}}
echo ~root "a  b" a  b 'single $x' $'esc\t\x41\n'end
set -- one "two three" four; echo $# "$2" "${@:2}"; shift; echo "$1" "$*"
v='a b  c'; echo $v "$v"; IFS=:; p=1:2:3; echo $p; unset IFS
printf '%05d|%-6s|%x|%.3f|%q|%b\n' 42 left 255 3.14159 'a b$' 'x\ty'
printf -v formatted '%s-%s' A B; echo "$formatted"

echo "-- globbing"
mkdir -p glob/sub && cd glob && touch a1 a2 b1 .hidden "with space" sub/deep.txt
echo *; echo a?; echo [ab]1; echo [!a]*; echo .h*; echo none*
shopt -s nullglob extglob globstar dotglob
echo none*; echo !(a*); echo @(a1|b1); echo **/*.txt; echo ?(a)1; echo *
shopt -u nullglob dotglob
for f in *; do echo "[$f]"; done
case abc in a?c) echo matched ;; *) echo not ;; esac
[[ abc123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "${BASH_REMATCH[1]}-${BASH_REMATCH[2]}"
[[ "x y" == x* && ! -e nofile && -d sub && a1 -ot nofile ]]; echo "status $?"
cd ..; rm -r glob

echo "-- functions, subshells, control"
outer=1; (outer=2; echo "in $outer"); echo "out $outer"
f() { local x=$1; echo "f($x) $FUNCNAME $#"; return 42; }
f arg more; echo "status $?"
counter() { local -n ref=$1; ((ref++)); }; count=5; counter count; echo "$count"
until ((count <= 3)); do ((count--)); done; echo "$count"
for x in 1 2 3 4; do ((x == 2)) && continue; ((x == 4)) && break; echo -n "$x "; done; echo
select_one() { select choice in apple pear; do echo "chose $choice"; break; done; }
select_one <<<2 2>/dev/null
(set -e; false; echo never); echo "errexit $?"
(set -u; echo "$undefined_variable") 2>/dev/null; echo "nounset $?"
echo "$BASH_SUBSHELL $(echo $BASH_SUBSHELL) $(: ; (echo $BASH_SUBSHELL))"
eval 'e=evaluated'; echo $e; type -t cd ls if f; command -v bash
nosuchcommand 2>/dev/null; echo "status $?"; /tmp 2>/dev/null; echo "status $?"
echo 'echo script $0 $1; exit 9' >script; bash script arg; echo "status $?"
printf '#!/bin/bash -e\nfalse\necho never\n' >bang; chmod +x bang; ./bang; echo "status $?"
printf '#!/usr/bin/gawk -f\nBEGIN { print "gawk", ARGV[1] }\n' >bang; ./bang x; echo "status $?"
printf 'echo no bang\n' >bang; ./bang; source ./bang; . ./bang
getopts_test() { local OPTIND o; while getopts ab:c o; do echo -n "$o${OPTARG:+=$OPTARG} "; done; echo; }
getopts_test -a -b value -c
umask 027; touch masked; stat -c %a masked; umask; ulimit -n >/dev/null; echo "limits $?"
times >/dev/null; echo "times $?"; hash -r; pwd; cd /; cd - ; dirs
history -c; enable -n echo; enable echo; echo "${BASH_VERSINFO[0]}"
exit 23
