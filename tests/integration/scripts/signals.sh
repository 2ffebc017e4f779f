#!/bin/bash
# Traps, background jobs, wait and kill.
cd /tmp

echo "-- traps"
trap 'echo "got USR1"' USR1
kill -USR1 $$
trap 'echo "got TERM"' TERM
kill -TERM $$; echo "alive"
trap - TERM USR1
trap '' INT; kill -INT $$; echo "ignored INT"
bash -c 'kill -INT $$; echo "inherited"'
trap - INT
(trap 'echo "exit trap $?"' EXIT; exit 4); echo "status $?"
(trap 'echo "err trap"' ERR; false; true)
f() { trap 'echo "return trap"' RETURN; }; f
trap 'echo debug' DEBUG; :; trap - DEBUG
trap 'echo one' USR1; trap -p USR1

echo "-- background jobs and wait"
sleep 0.05 & first=$!; wait $first; echo "waited $?"
(exit 13) & wait $!; echo "status $?"
for i in 1 2 3 4 5; do (exit $i) & pids+=($!); done
for p in "${pids[@]}"; do wait "$p"; echo -n "$? "; done; echo
sleep 100 & kill $!; wait $! 2>/dev/null; echo "killed $?"
sleep 100 & kill -KILL $!; wait $! 2>/dev/null; echo "killed $?"
{ (kill -SEGV $BASHPID); } 2>/dev/null; echo "segv $?"
bash -c 'kill -PIPE $$'; echo "pipe $?"
kill -0 $$; echo "exists $?"; kill -0 99999 2>/dev/null; echo "absent $?"
# The child outlives the signal: bash may lose a child that it reaps as the trap comes.
mkfifo q
{ sleep 1; kill -USR1 $$; read -r <q; } & wait; echo "interrupted $?"; echo >q; wait $!; jobs >/dev/null
(sleep 0.05; exit 6) & wait -n; echo "wait -n $?"
jobs; sleep 100 & jobs -r | sed 's/ \+/ /g'; kill $!; wait $! 2>/dev/null

echo "-- job control"
set -m
sleep 100 & kill -STOP %1; until jobs -s >stopped; [ -s stopped ]; do sleep 0.05; done
sed "s/ \+/ /g" stopped
kill -CONT %1; kill %1; wait %1 2>/dev/null; echo "status $?"
(exit 5) & wait %+; echo "job $?"
set +m

echo "-- timeout, nohup, nice, env"
timeout 0.1 sleep 10; echo "timeout $?"
timeout 5 true; echo "timeout $?"
{ timeout -s KILL 0.1 sleep 10; } 2>/dev/null; echo "killed $?"
nice -n 5 true; echo "nice $?"
env -i A=1 /usr/bin/env
nohup true >/dev/null 2>&1; echo "nohup $?"
exec 8<>q; read -t 0.05 -r -u 8 line; echo "read timed out: $(($? > 128))"
SECONDS=0; sleep 0.02; ((SECONDS < 5)) && echo "quick"
echo "end"
trap 'echo "last words"' EXIT
kill -TERM $BASHPID
sleep 1
echo "never"
