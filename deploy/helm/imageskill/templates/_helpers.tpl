{{- define "imageskill.name" -}}
{{- $name := ternary .Release.Name (printf "%s-imageskill" .Release.Name) (contains "imageskill" .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "imageskill.selector" -}}
app.kubernetes.io/name: imageskill
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "imageskill.labels" -}}
{{ include "imageskill.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "imageskill.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What a pod of any kind has: root, component, command, resources; and, for some, probes, ports,
     grace, restartPolicy, environment, and metricsPort, where Prometheus finds the pod's metrics. */}}
{{- define "imageskill.pod" -}}
metadata:
  labels:
    {{- include "imageskill.labels" . | nindent 4 }}
  {{- with .metricsPort }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/path: /metrics
    prometheus.io/port: {{ . | quote }}
  {{- end }}
spec:
  serviceAccountName: {{ .root.Values.serviceAccount.name }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with .grace }}
  terminationGracePeriodSeconds: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if not .restartPolicy }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "imageskill.selector" . | nindent 10 }}
  {{- end }}
  {{- with .root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: imageskill
      image: {{ include "imageskill.image" .root | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{ toJson .command }}
      env:
        {{- range $name, $value := merge (.environment | default dict) .root.Values.settings }}
        - name: {{ $name }}
          value: {{ $value | toString | quote }}
        {{- end }}
        {{- range .root.Values.secret.keys }}
        - name: {{ . }}_FILE
          value: /run/imageskill/{{ . }}
        {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml .resources | nindent 8 }}
      {{- with .ports }}
      ports:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .probes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      volumeMounts:
        - name: data
          mountPath: /var/lib/imageskill
        - name: temporary
          mountPath: /tmp
        - name: secrets
          mountPath: /run/imageskill
          readOnly: true
  volumes:
    - name: data
      {{- if .root.Values.storage.existingClaim }}
      persistentVolumeClaim:
        claimName: {{ .root.Values.storage.existingClaim }}
      {{- else if .root.Values.settings.S3_BUCKET }}
      emptyDir:
        sizeLimit: 1Gi
      {{- else }}
      {{- fail "Set storage.existingClaim, a ReadWriteMany claim, or settings.S3_BUCKET: all pods share the images." }}
      {{- end }}
    - name: temporary
      emptyDir:
        sizeLimit: 2Gi
    - name: secrets
      secret:
        secretName: {{ required "Set secret.name: a Secret that exists." .root.Values.secret.name }}
        defaultMode: 0440
        items:
          {{- range .root.Values.secret.keys }}
          - key: {{ . }}
            path: {{ . }}
          {{- end }}
{{- end }}

{{/* Alive: the process touched its file within the last quarter of an hour. A broker that is away
     for longer restarts it, which ends what it has in hand first and harms nothing. */}}
{{- define "imageskill.heartbeat" -}}
livenessProbe:
  exec:
    command: [sh, -c, 'test -n "$(find /tmp/heartbeat -mmin -15)"']
  initialDelaySeconds: 900
  periodSeconds: 60
  timeoutSeconds: 10
  failureThreshold: 2
{{- end }}
