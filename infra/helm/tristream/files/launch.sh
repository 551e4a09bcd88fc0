#!/usr/bin/env bash
# The production launch of SGLang for the describe stage. Reasons and models that fit: docs/describing.md.
#
#   MODEL=Qwen/Qwen3-VL-8B-Instruct REVISION=<commit> API_KEY=… infra/sglang/launch.sh
#
# The workers are then told TRISTREAM_SGLANG_URL=http://HOST:30000 and TRISTREAM_SGLANG_MODEL=$MODEL@$REVISION.
set -euo pipefail
: "${MODEL:?a model with a vision encoder, by its name on the hub or as a folder}"
: "${REVISION:?the commit of its weights: descriptions name it in their lineage}"

args=(
  --model-path "$MODEL" --revision "$REVISION" --served-model-name "${SERVED:-$MODEL}"
  --host "${HOST:-0.0.0.0}" --port "${PORT:-30000}"
  # GPUs: TP splits one model over several, DP runs copies. Weights in bf16 take 2 bytes a parameter.
  --tp-size "${TP:-1}" --dp-size "${DP:-1}" --mem-fraction-static "${MEMORY:-0.85}"
  # Stable prefix, picture, facts, passages, the answer, and all of it again with the correction.
  --context-length "${CONTEXT:-16384}"
  # The prefix cache is on unless it is switched off; this has answers say how much of their prompt was in it.
  --enable-cache-report
  # Beyond this queue the server answers 503, and the workers send fewer at once.
  --max-queued-requests "${QUEUE:-64}"
  # /metrics: sglang:num_queue_reqs is what the workers steer by.
  --enable-metrics
  --grammar-backend xgrammar --constrained-json-disable-any-whitespace
)
if [[ -n "${API_KEY:-}" ]]; then args+=(--api-key "$API_KEY"); fi
exec python3 -m sglang.launch_server "${args[@]}" "$@"
