#!/bin/bash
# coreutils and findutils on files: names, modes, links, times, copies.
cd /tmp && mkdir work && cd work || exit 1

echo "-- making and listing"
mkdir -p a/b/c d; for i in {01..30}; do echo "file $i" >a/f$i; done
ln -s ../a/f01 d/link; ln a/f02 d/hard; ln -s nowhere d/dangling
touch -d '2020-02-03 04:05:06 UTC' a/f03; chmod 640 a/f03; chmod u+s,o-r a/f04
export TZ=UTC
ls a | tail -n 3; ls -1 -R d; ls -d a/b/*; ls -A | cat
ls -l --time-style=+%Y-%m-%d a/f03 | cut -d ' ' -f 1,5,6,7
ls -lS --time-style=+ a/f03 >/dev/null; ls nofile 2>&1; echo "status $?"
stat -c '%n %s %a %h %F %U' a/f02 a/f03 a/f04 d/link d
stat -L -c '%n %s' d/link; date -u -r a/f03 +%FT%T
readlink d/link; readlink -f d/link; realpath --relative-to=/tmp a/b/../f01; basename /x/y.z .z; dirname /x/y

echo "-- copying and moving"
cp -r a copy; diff -r a copy && echo same
cp -p a/f03 kept; stat -c '%a %Y' kept; cp -a d links; readlink links/link
cp --preserve=mode a/f04 f4; stat -c %a f4
mv copy moved; mv moved/f05 moved/renamed; ls moved | grep -c .; mv -n a/f06 a/f07; cat a/f07
install -m 751 a/f01 installed; stat -c %a installed
cp nofile x 2>&1; mv nofile x 2>&1; mkdir a 2>&1; rmdir a 2>&1; rm d 2>&1; echo "status $?"
dd if=/dev/zero of=zeros bs=4096 count=300 2>/dev/null; stat -c %s zeros; md5sum <zeros
dd if=/dev/zero of=holes bs=1 count=1 seek=1M 2>/dev/null; stat -c %s holes; cmp -n 1000 zeros holes && echo equal
truncate -s 5 zeros; od -c zeros; truncate -s 3 a/f08; od -An -c a/f08
cat a/f0[1-3] - <<<"stdin"; cat -n a/f01 | tr '\t' '>'; tee one two <a/f01 >/dev/null; cmp one two && echo equal
head -c 6 a/f09; echo; tail -c 3 a/f09; split -l 10 <(seq 25) part-; wc -l part-*
shred -u two; test -e two || echo gone; rmdir $(mktemp -d /tmp/work/tmp.XXXX); echo $?
du -s --apparent-size -b a/f01 | cut -f 1; sync; echo "sync $?"

echo "-- find and xargs"
find . -name 'f0[12]' | sort; find . -type l | sort; find a -type f -size -2c | wc -l
find a -name 'f1?' -exec cat {} + | sort | head -n 2; find . -newermt '2019-01-01' ! -newermt '2021-01-01' | sort
find moved -type f -delete; find moved; find . -perm 640 | sort; find . -maxdepth 1 -empty | sort
find a -type f -printf '%f %s %m\n' | sort | tail -n 2; find . -path './a/*' -prune -o -type d -print | sort | head -n 3
find a -type f -print0 | sort -z | xargs -0 -n 10 echo | wc -l; seq 10 | xargs -n 4; seq 3 | xargs -I{} echo "<{}>"
seq 6 | xargs -P 2 -n 1 sh -c 'exit 0'; echo "status $?"; echo x | xargs false; echo "status $?"
find /nowhere 2>&1; echo "status $?"; find / -maxdepth 1 -name tmp

echo "-- tests and permissions"
[ -f a/f01 ] && [ -s a/f01 ] && [ -L d/link ] && [ ! -e d/dangling ] && [ -x installed ] && echo tests
[ d/hard -ef a/f02 ] && [ one -nt kept ] && echo links
chmod 000 one; [ -r one ] && cat one; chmod a=rx,u+w one; stat -c %A one
chown 5:6 one; stat -c '%u %g' one; umask 077; >private; stat -c %a private; umask 022
touch -t 200001020304.05 old; stat -c %Y old; touch -r old new; stat -c %y new; touch -c absent; ls absent 2>/dev/null
id -u; id -gn; whoami; groups; pwd -P; cd d; cd ..; echo "$OLDPWD"; ls /dev/null /dev/fd/0; tty; echo "tty $?"
uname -s -m; nproc; hostname >/dev/null 2>&1; arch; env | grep -c ^TZ=; printenv TZ; date -u -d @86400 +%F; date -d 'TZ="UTC" 2001-09-09 01:46:40' +%s
rm -rf a d moved links; ls
cd /; rm -r /tmp/work; ls /tmp
