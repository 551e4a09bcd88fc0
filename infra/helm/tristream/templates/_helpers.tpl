{{- define "tristream.name" -}}
{{- printf "%s" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "tristream.labels" -}}
app.kubernetes.io/name: tristream
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "tristream.selector" -}}
app.kubernetes.io/name: tristream
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "tristream.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "tristream.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "tristream.image" -}}
{{- $tag := .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{- if .gpu -}}
{{- $tag = .root.Values.image.gpuTag | default (printf "%s-gpu" $tag) -}}
{{- end -}}
{{- printf "%s:%s" .root.Values.image.repository $tag -}}
{{- end -}}

{{- define "tristream.sasl" -}}
{{- if hasPrefix "SASL_" .Values.kafka.protocol -}}true{{- end -}}
{{- end -}}

{{- define "tristream.tls" -}}
{{- if hasSuffix "SSL" .Values.kafka.protocol -}}true{{- end -}}
{{- end -}}

{{- define "tristream.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "tristream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "tristream.volumes" -}}
{{- $settings := mergeOverwrite (deepCopy .Values.settings) (dig "settings" dict .Values.stages.preprocess) -}}
{{- if eq (get $settings "TRISTREAM_VOLUMES") "whole" -}}true{{- end -}}
{{- end -}}
