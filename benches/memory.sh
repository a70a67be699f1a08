#!/usr/bin/env bash
# Peak memory of every stage of a pipe, for streams of growing length: it must not grow with them.
#
#   benches/memory.sh [RECORDS...]      by default 1000000 10000000; 100000000 takes ten minutes
#
# Environment: QT, the program (by default it is built); LIMIT_MIB, the bound (200). A catalog of 100
# million records takes 2 GB below TMPDIR while the script runs. Needs GNU time. The exit code is
# 1 if a stage goes beyond the bound.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

limit_mib=${LIMIT_MIB:-200}
export QT_PROGRESS=never

if ! /usr/bin/time -f %M true 2>/dev/null; then
    echo "memory.sh: GNU time is needed (package \`time\`)" >&2
    exit 2
fi
if [ -z "${QT-}" ]; then
    cargo build --locked --release --bin qt
    QT=$PWD/target/release/qt
fi
if [ "$#" -eq 0 ]; then
    set -- 1000000 10000000
fi

symbols=(sim:BTCUSDT sim:ESZ4 sim:ETHUSDT sim:PEPEUSDT)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
beyond=0

# stage NAME ARGUMENTS...: runs qt, and notes its peak memory and its CPU time under that name.
stage() {
    local name=$1
    shift
    /usr/bin/time -o "$work/$name.used" -f '%M %U %S' "$QT" "$@"
}

# used SCENARIO STAGE RECORDS: prints what a stage noted.
used() {
    local kib user system
    read -r kib user system <"$work/$2.used"
    awk -v scenario="$1" -v stage="$2" -v records="$3" -v kib="$kib" -v cpu="$user" -v kernel="$system" \
        'BEGIN { printf "%-34s %-10s %10d %9.1f %10.1f\n", scenario, stage, records, kib / 1024, (cpu + kernel) * 1e9 / records }'
    if [ $((kib / 1024)) -ge "$limit_mib" ]; then
        beyond=1
    fi
}

printf '%-34s %-10s %10s %9s %10s\n' scenario stage records 'peak MiB' 'ns/record'
for records in "$@"; do
    stage synth synth --events "$records" | stage replay replay --input - >/dev/null
    used 'synth | replay (NDJSON)' synth "$records"
    used 'synth | replay (NDJSON)' replay "$records"

    stage synth synth --events "$records" -o arrow | stage replay replay --input - -o arrow >/dev/null
    used 'synth | replay (Arrow)' synth "$records"
    used 'synth | replay (Arrow)' replay "$records"

    stage catalog --data "$work/data" synth --events "$records" --to catalog --quiet
    used 'synth --to catalog' catalog "$records"

    stage replay --data "$work/data" replay >/dev/null
    used 'replay of a catalog (NDJSON)' replay "$records"

    stage first --data "$work/data" replay -o arrow | stage second replay --input - >/dev/null
    used 'replay of a catalog | replay' first "$records"
    used 'replay of a catalog | replay' second "$records"
    rm -rf "$work/data"

    # Four streams of one instrument each, in two encodings, that come in as they are made.
    part=$((records / 4))
    stage replay replay --input \
        <("$QT" synth --events "$part" --symbols "${symbols[0]}") \
        <("$QT" synth --events "$part" --symbols "${symbols[1]}" --seed 2) \
        <("$QT" synth --events "$part" --symbols "${symbols[2]}" --seed 3 -o arrow) \
        <("$QT" synth --events "$part" --symbols "${symbols[3]}" --seed 4 -o arrow) >/dev/null
    used 'merge of four streams' replay "$records"
done
exit "$beyond"
