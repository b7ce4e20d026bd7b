#!/usr/bin/env bash
# Builds the base alone and with each component, and holds what comes out against the schemas of Kubernetes.
set -euo pipefail
cd "$(dirname "$0")/../kubernetes"
version=1.31.0
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT

for overlay in base $(printf '%s\n' components/*/); do
  overlay=${overlay%/}
  name=${overlay#components/}
  if [ "$overlay" = base ]; then
    kubectl kustomize base >"$built/all.yaml"
  else
    # Within this folder: kustomize leads nowhere by absolute paths.
    mkdir "$built/overlay"
    cp -r base components "$built/overlay"
    cat >"$built/overlay/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [base]
components: [$overlay]
YAML
    kubectl kustomize "$built/overlay" >"$built/all.yaml"
    rm -r "$built/overlay"
  fi
  # One file a document; kinds of others' making have no schema here.
  csplit --quiet --elide-empty-files --prefix "$built/$name-" --suffix-format '%02d.yaml' "$built/all.yaml" '/^---$/' '{*}'
  echo "$overlay: $(grep -c '^kind:' "$built/all.yaml") objects"
done

mapfile -t known < <(grep -LE '^kind: (ScaledObject|ServiceMonitor)$' "$built"/*-*.yaml)
kubernetes-validate --strict --quiet --kubernetes-version "$version" "${known[@]}"
