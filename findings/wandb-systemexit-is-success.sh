#!/usr/bin/env bash
# wandb 0.31.0, offline: a run whose script ends by `raise SystemExit(1)` is recorded with exit code 0, as if it had
# finished; the same script ended by `sys.exit(1)` is recorded with exit code 1. The process ends with status 1 both times.
# Seen: "raise: status 1, recorded 0" and "sys.exit: status 1, recorded 1".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet wandb==0.31.0
cat > run.py <<'PY'
import sys
import wandb
run = wandb.init(project="p", mode="offline", name=sys.argv[1])
run.log({"loss": 1.0}, step=1)
if sys.argv[1] == "raise":
    raise SystemExit(1)
sys.exit(1)
PY
cat > recorded.py <<'PY'
import glob, struct
from wandb.proto import wandb_internal_pb2 as pb
data = open(glob.glob("wandb/offline-run-*/*.wandb")[0], "rb").read()
at, code = 7, None
while at + 7 <= len(data):
    length, kind = struct.unpack_from("<HB", data, at + 4)
    if kind == 1:
        record = pb.Record.FromString(data[at + 7 : at + 7 + length])
        if record.HasField("exit"):
            code = record.exit.exit_code
    at += 7 + length
print(code)
PY
export WANDB_SILENT=true WANDB_DIR="$folder"
for how in raise sys.exit; do
  rm -rf wandb
  status=0
  venv/bin/python run.py "$how" > /dev/null 2>&1 || status=$?
  echo "$how: status $status, recorded $(venv/bin/python recorded.py)" | tee -a seen
done
printf 'raise: status 1, recorded 0\nsys.exit: status 1, recorded 1\n' | diff seen - && echo "as described"
