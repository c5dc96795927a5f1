#!/bin/sh
# install.sh: puts breakglass-pve on a Proxmox host and lets the console's key run it, and nothing else. Run as root:
#
#   sh install.sh --key 'ssh-ed25519 AAAA... console' --vmid 102 [--from 10.0.0.5] [--dry-run]
#   sh install.sh --uninstall [--dry-run]
#
# It checks everything first and then prints each thing that it does. What is so already it leaves alone: a second run
# changes nothing. It needs breakglass-pve beside it. Exit codes: 0 done, 1 failed (the last line says what to do), 2 wrong
# arguments or a check that failed; nothing was changed.
#
# With DESTDIR set, everything happens below that folder and root is not needed: for packages and for tests.

set -u
umask 022
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

PROGRAM=/usr/local/sbin/breakglass-pve
CONF=/etc/breakglass-pve.conf
KEYS=/root/.ssh/authorized_keys
# By this word at its end our line is known; other lines are never touched.
MARK=breakglass-pve:installed

prefix=${DESTDIR-}
key=
vmid=
from=
doing=install
dry=no
changed=no

main() {
    read_arguments "$@"
    case $prefix in
        '' | /*) ;;
        *) wrong "DESTDIR must be an absolute path, not $prefix" ;;
    esac
    if [ -z "$prefix" ] && [ "$(id -u)" != 0 ]; then
        wrong 'this changes root'"'"'s files: run it as root on the Proxmox host'
    fi
    find_keys_file
    if [ "$doing" = uninstall ]; then
        uninstall
    else
        check_key
        check_vmid
        check_from
        check_program
        check_keys_file
        install
    fi
    if [ "$changed" = no ]; then
        say 'nothing was changed'
    elif [ "$dry" = yes ]; then
        say 'nothing was changed, because of --dry-run'
    fi
}

say() {
    printf '%s\n' "$1"
}

wrong() {
    printf 'install.sh: %s\nnothing was changed; sh install.sh --help says how it is used\n' "$1" >&2
    exit 2
}

failed() {
    printf 'install.sh: failed: %s\n' "$1" >&2
    exit 1
}

# True when it is to be done; else says what would be.
will() {
    changed=yes
    if [ "$dry" = yes ]; then
        say "would $1"
        return 1
    fi
}

# --- Arguments ---------------------------------------------------------------------------------------------------

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --key | --vmid | --from)
                [ $# -gt 1 ] || wrong "$1 needs a value"
                case $1 in
                    --key) key=$2 ;;
                    --vmid) vmid=$2 ;;
                    --from) from=$2 ;;
                esac
                shift
                ;;
            --uninstall) doing=uninstall ;;
            --dry-run) dry=yes ;;
            -h | --help)
                sed -n '2,/^$/s/^#\{1,\} \{0,1\}//p' "$0"
                exit 0
                ;;
            *) wrong "unknown argument: $1" ;;
        esac
        shift
    done
    if [ "$doing" = uninstall ] && [ -n "$key$vmid$from" ]; then
        wrong '--uninstall takes no --key, --vmid or --from: it removes what was installed'
    fi
    if [ "$doing" = install ]; then
        [ -n "$key" ] || wrong "--key is missing: the console's public key, as in its .pub file"
        [ -n "$vmid" ] || wrong '--vmid is missing: the number of the VM to rescue, as in: qm list'
    fi
}

# One public key: type, base64, and a comment that cannot be taken for anything else. Options would stand before the
# type, and a newline would be another line: neither passes.
check_key() {
    case $key in
        *[!' '-~]*) wrong '--key must be one line of plain text: the content of the .pub file' ;;
        *'"'* | *\\*) wrong '--key must not hold quotes or backslashes: give the public key without options' ;;
    esac
    type=${key%% *}
    case $type in
        ssh-ed25519 | ssh-rsa | ecdsa-sha2-nistp256 | ecdsa-sha2-nistp384 | ecdsa-sha2-nistp521) ;;
        sk-*) wrong '--key is on a security key that wants to be touched, and nobody is there to do that: use an ssh-ed25519 key' ;;
        *) wrong '--key must begin with its type, as in: ssh-ed25519 AAAA... console (no options, and not the private key)' ;;
    esac
    case $key in
        "$type "*) rest=${key#* } ;;
        *) wrong '--key has a type and no key' ;;
    esac
    blob=${rest%% *}
    case $blob in
        AAAA*) ;;
        *) wrong '--key is not a public key: after its type it must go on with AAAA' ;;
    esac
    case ${blob%%=*} in
        *[!A-Za-z0-9+/]*) wrong '--key is not a public key: it holds what base64 does not' ;;
    esac
    case ${blob#"${blob%%=*}"} in
        '' | = | ==) ;;
        *) wrong '--key is not a public key: its base64 does not end well' ;;
    esac
    comment=
    case $rest in
        *' '*) comment=${rest#* } ;;
    esac
    case $comment in
        *[!A-Za-z0-9@._+:' '-]*) wrong "--key's comment may only hold letters, digits, blanks and @ . _ + : -" ;;
    esac
    case " $comment " in
        *" $MARK "*) wrong "--key's comment must not hold $MARK: give the key as it is in its .pub file" ;;
    esac
    if command -v ssh-keygen >/dev/null 2>&1; then
        print=$(printf '%s %s\n' "$type" "$blob" | ssh-keygen -l -f - 2>/dev/null) ||
            wrong '--key is not a key that ssh-keygen understands: was it cut when it was copied?'
        say "key: $print"
    fi
}

check_vmid() {
    case $vmid in
        '' | 0* | *[!0-9]* | ??????????*) wrong "--vmid must be a number as in: qm list" ;;
    esac
    qm=$prefix/usr/sbin/qm
    if [ -x "$qm" ]; then
        timeout 30 "$qm" config "$vmid" >/dev/null 2>&1 ||
            wrong "--vmid: qm config $vmid fails: this host has no VM $vmid (qm list says which it has)"
    elif [ -z "$prefix" ]; then
        wrong "there is no $qm: this is not a Proxmox VE host"
    fi
}

# Addresses, networks and patterns as sshd takes them; never a quote, a blank or a newline.
check_from() {
    case $from in
        *[!0-9A-Za-z.:/*?!,-]*) wrong '--from must be addresses, networks or names with commas between them, as in: 10.0.0.5,fd00::/64' ;;
        ,* | *, | *,,*) wrong '--from has an empty place in its list' ;;
    esac
    case ",$from" in
        , | *,[!!]*) ;;
        *) wrong '--from only says who may not come: name who may' ;;
    esac
}

check_program() {
    source=$(cd -- "$(dirname -- "$0")" && pwd)/breakglass-pve || source=
    [ -f "$source" ] || wrong 'breakglass-pve must be beside install.sh: copy both from deploy/pve'
    sh -n "$source" || wrong "$source is damaged: copy it again"
}

# --- authorized_keys ------------------------------------------------------------------------------------------------

# On Proxmox it is a link to /etc/pve/priv/authorized_keys, which all nodes of a cluster share. The link stays: what it
# points to is written in place.
find_keys_file() {
    keys=$prefix$KEYS
    if [ -L "$keys" ]; then
        real=$(readlink -f -- "$keys") || real=
        if [ -z "$real" ] || [ ! -d "$(dirname -- "$real")" ]; then
            wrong "$keys is a link to what is not there: is /etc/pve mounted (systemctl status pve-cluster)?"
        fi
        case $real in
            "$prefix"/*) ;;
            *) wrong "$keys leads out of DESTDIR, to $real" ;;
        esac
    else
        real=$keys
    fi
    if [ -e "$real" ] && { [ ! -f "$real" ] || [ ! -r "$real" ]; }; then
        wrong "$real cannot be read, or is no file"
    fi
}

# The line as it shall be.
line() {
    options="restrict,command=\"$PROGRAM\""
    [ -z "$from" ] || options="$options,from=\"$from\""
    printf '%s %s %s %s%s\n' "$options" "$type" "$blob" "${comment:+$comment }" "$MARK"
}

# sshd takes the first line that a key is in. Were ours the second, the key would have what the first one gives it.
check_keys_file() {
    [ -f "$real" ] || return 0
    other=$(grep -n -F -- "$blob" "$real" | grep -v -- " $MARK\$" | head -n 1)
    if [ -n "$other" ]; then
        wrong "this key is in $real already, in line ${other%%:*}, with other rights: remove that line first"
    fi
    if [ "$(grep -c -- " $MARK\$" "$real")" -gt 1 ]; then
        wrong "$real has more than one line that ends in $MARK: leave one of them"
    fi
}

# Puts the file $1 in place of what authorized_keys holds: written through the link and into the same file, so that owner,
# mode and link stay. Should that go wrong, what was there before is put back.
write_keys() {
    { before=$(mktemp) && cat -- "$real" >"$before"; } || failed "there is no room for a copy of $real in ${TMPDIR-/tmp}"
    if cat -- "$1" >"$real" && cmp -s -- "$1" "$real"; then
        rm -f -- "$before"
        return
    fi
    if cat -- "$before" >"$real" && cmp -s -- "$before" "$real"; then
        rm -f -- "$before"
        failed "$real could not be written and is as it was: is /etc/pve read-only, because the cluster has no quorum (pvecm status)?"
    fi
    failed "$real could not be written: what it held is in $before; put that back"
}

install_line() {
    line=$(line)
    if [ -f "$real" ] && grep -q -x -F -- "$line" "$real"; then
        say "unchanged: the key's line in $real"
        return
    fi
    if [ -f "$real" ] && grep -q -- " $MARK\$" "$real"; then
        will "replace the console's line in $real" || return 0
        new=$(mktemp) || failed 'no temporary file can be made: is the disk full?'
        while IFS= read -r old || [ -n "$old" ]; do
            case $old in
                *" $MARK") printf '%s\n' "$line" ;;
                *) printf '%s\n' "$old" ;;
            esac
        done <"$real" >"$new" || failed "$real cannot be copied: it is as it was"
        write_keys "$new"
        rm -f -- "$new"
        say "replaced the console's line in $real"
        return
    fi
    will "add a line to $real" || return 0
    if [ ! -e "$real" ]; then
        (umask 077 && mkdir -p -- "$(dirname -- "$real")" && : >"$real") || failed "$real cannot be made"
    fi
    new=$(mktemp) || failed 'no temporary file can be made: is the disk full?'
    cat -- "$real" >"$new" || failed "$real cannot be copied: it is as it was"
    # A last line without an end must not become one with ours.
    if [ -s "$new" ] && [ -n "$(tail -c 1 "$new")" ]; then
        printf '\n' >>"$new"
    fi
    printf '%s\n' "$line" >>"$new" || failed "$real cannot be copied: it is as it was"
    write_keys "$new"
    rm -f -- "$new"
    say "added a line to $real"
}

remove_line() {
    if [ ! -f "$real" ] || ! grep -q -- " $MARK\$" "$real"; then
        say "unchanged: $real has no line of ours"
        return
    fi
    will "remove the console's line from $real" || return 0
    new=$(mktemp) || failed 'no temporary file can be made: is the disk full?'
    # It exits with 1 where no other line is left.
    grep -a -v -- " $MARK\$" "$real" >"$new" || [ $? -eq 1 ] || failed "$real cannot be copied: it is as it was"
    write_keys "$new"
    rm -f -- "$new"
    say "removed the console's line from $real"
}

# --- Install, uninstall ---------------------------------------------------------------------------------------------

# The configuration as it is written for a VM; its own word is all that is not a comment.
configuration() {
    cat <<END
# breakglass-pve: see README.md beside it for all keys. Sourced by a shell: NAME=value, no blanks around the =.
# The VM to rescue.
VMID=$1
END
}

install() {
    program=$prefix$PROGRAM
    if [ -f "$program" ] && cmp -s -- "$source" "$program" && [ -x "$program" ]; then
        say "unchanged: $program"
    elif will "install $program"; then
        # A new file in place of the old one: a run that is under way goes on reading the old.
        {
            mkdir -p -- "$(dirname -- "$program")" && cp -- "$source" "$program.new" && chmod 0755 "$program.new" &&
                mv -f -- "$program.new" "$program"
        } || failed "$program cannot be written: is the disk full or read-only?"
        say "installed $program"
    fi

    conf=$prefix$CONF
    if [ -e "$conf" ]; then
        there=$(sed -n 's/^[[:space:]]*VMID=//p' "$conf" | tail -n 1 | tr -d "\"'")
        if [ "$there" = "$vmid" ]; then
            say "unchanged: $conf"
        else
            say "unchanged: $conf, which says VMID=${there:-nothing} and is what counts: if VM $vmid is meant, edit it"
        fi
    elif will "write $conf: VMID=$vmid"; then
        { mkdir -p -- "$(dirname -- "$conf")" && (umask 077 && configuration "$vmid" >"$conf"); } ||
            failed "$conf cannot be written: is the disk full or read-only?"
        say "wrote $conf: VMID=$vmid"
    fi

    install_line
    [ -n "$from" ] || say 'note: without --from the key works from everywhere'
    case $real in
        */etc/pve/*) say "note: all nodes of a cluster share $real; where breakglass-pve is not installed, the key can do nothing" ;;
    esac
    warn_of_sshd
    say "test it: ssh -i KEY root@$(uname -n) status"
}

# What in sshd's configuration would keep the key out.
warn_of_sshd() {
    [ -z "$prefix" ] && command -v sshd >/dev/null 2>&1 || return 0
    effective=$(sshd -T 2>/dev/null) || return 0
    case $effective in
        *'permitrootlogin no'*) say 'note: sshd lets root not in at all: set PermitRootLogin forced-commands-only (or prohibit-password)' ;;
    esac
    case $effective in
        *'authorizedkeysfile '*'.ssh/authorized_keys'*) ;;
        *) say "note: sshd does not read .ssh/authorized_keys (AuthorizedKeysFile): put the line from $real where it does" ;;
    esac
}

uninstall() {
    remove_line
    program=$prefix$PROGRAM
    if [ ! -e "$program" ]; then
        say "unchanged: there is no $program"
    elif will "remove $program"; then
        rm -f -- "$program" || failed "$program cannot be removed: is the disk read-only?"
        say "removed $program"
    fi
    conf=$prefix$CONF
    if [ ! -e "$conf" ]; then
        say "unchanged: there is no $conf"
    elif configuration "$(sed -n 's/^VMID=//p' "$conf")" | cmp -s -- - "$conf"; then
        if will "remove $conf"; then
            rm -f -- "$conf" || failed "$conf cannot be removed: is the disk read-only?"
            say "removed $conf"
        fi
    else
        say "left: $conf, because it was edited: remove it by hand"
    fi
    for folder in "$prefix/var/lib/breakglass" "$prefix/run/breakglass-pve"; do
        [ ! -d "$folder" ] || say "left: $folder, with captures and the output of runs: rm -r it when nobody needs them"
    done
}

main "$@"
