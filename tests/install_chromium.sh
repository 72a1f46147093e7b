#!/bin/sh
# Make a Chromium available for the browser tests, or say why they will be skipped.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq chromium fonts-noto-cjk >/dev/null 2>&1; then
        exit 0
    fi
fi
echo "没有可用的 Chromium，浏览器测试将跳过（No Chromium: the browser tests will be skipped）"
exit 0
