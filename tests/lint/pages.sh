#!/usr/bin/env bash
# Fails on a page (*.md) that links to a file or heading, or names a path of the source, a script or a configuration, a command, a target
# of make or a configuration key that doesn't exist; and on a key that MANUAL.md doesn't explain. Usage: pages.sh [TREE]
set -uo pipefail
cd "${1:-$(dirname "$0")/../..}" || exit 1
shopt -s nullglob
pages=(*.md results/*.md tests/*/*.md)
bad=0
complain() {
    echo "$1"
    bad=1
}

# anchors PAGE: its headings, as a web page numbers them: lower case, blanks to hyphens, punctuation dropped.
anchors() {
    sed -n -E 's/^#+ +//p' "$1" | tr '[:upper:] ' '[:lower:]-' | sed -E 's/[^a-z0-9_-]//g'
}

check_link() {
    local page=$1 link=$2 target=$1 anchor=
    case $link in
    http*://* | mailto:*) return ;;
    *'#'*) anchor=${link#*#} ;;
    esac
    [[ -n ${link%%#*} ]] && target=$(dirname "$page")/${link%%#*}
    [[ -e $target ]] || { complain "$page: the link $link leads nowhere"; return; }
    [[ -z $anchor ]] || anchors "$target" | grep -qx -- "$anchor" || complain "$page: ${target#./} has no heading #$anchor"
}

# Words that look like paths below these folders; upper case stands for something else (configs/NAME.ini), * for several files.
check_path() {
    local page=$1 path=${2%.}
    [[ $path =~ [A-Z*] ]] || [[ -e $path ]] || complain "$page: there is no $path"
}

# keys that tables declare, such as INT("cnn", epochs, "5", ...), and all that the program knows, former names too
key_pattern='\b(run|knn|svm|cnn)\.[a-z][a-z0-9_]*'
tables=(src/*/*options.c)
keys=$(cat "${tables[@]}" /dev/null | tr '\n' ' ' | grep -oE '"(run|knn|svm|cnn)", +[a-z][a-z0-9_]*,' | sed -E 's/"(.*)", +(.*),/\1.\2/' | sort -u)
known=$(grep -rhoE "\"($key_pattern)\"" --include='*.c' src | tr -d '"'; echo "$keys")
[[ -n $keys ]] || complain "tests/lint/pages.sh finds no keys in src/*/*options.c"
is_file_name='^[a-z]+\.(md|ini|py|sh|c|h|h5|log|libsvm|png|pdf)$'

check_command() {
    grep -qE "^    \\.name = \"$2\"," src/cli/cmd_*.c || complain "$1: there is no command pardigits $2"
}

check_target() {
    grep -qE "^(\.PHONY:.* )?$2(:| |\$)" Makefile || complain "$1: there is no make $2"
}

# words PAGE PATTERN: the last words of what matches in code: indented lines, or between backquotes.
words() {
    grep -oE "(^    .*|\`)$2" "$1" | grep -oE '[a-z-]+$' | sort -u
}

for page in "${pages[@]}"; do
    while read -r word; do check_command "$page" "$word"; done < <(words "$page" '\b(build/)?pardigits [a-z]+')
    while read -r word; do check_target "$page" "$word"; done < <(words "$page" '\bmake [a-z-]+')
    while read -r link; do check_link "$page" "$link"; done < <(grep -oE '\]\([^) ]+\)' "$page" | sed -E 's/^\]\(|\)$//g')
    while read -r path; do check_path "$page" "$path"; done \
        < <(grep -oE '(^|[^A-Za-z0-9_./-])(src|tests|configs|jobs)/[A-Za-z0-9_./*-]*' "$page" | sed -E 's/^[^a-z]//' | sort -u)
    while read -r key; do
        [[ $key =~ $is_file_name ]] || grep -qx -- "$key" <<<"$known" || complain "$page: there is no key $key"
    done < <(grep -oE "(^|[^A-Za-z0-9_./-])$key_pattern" "$page" | sed -E 's/^[^a-z]//' | sort -u)
done
for key in $keys; do
    grep -qF -- "\`$key\`" MANUAL.md || complain "MANUAL.md doesn't explain the key $key"
done
exit $bad
