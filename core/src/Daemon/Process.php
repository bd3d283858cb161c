<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Jeenergie\Storage\DataFolder;

/**
 * Which processes of this machine are the daemon of this plugin, and whose program listens on its port.
 *
 * The pid file only says where to look first: files disappear, numbers are given to other programs. A process is the
 * daemon by its command line, its data folder and its user.
 */
final class Process
{
    public const MODULE = 'jeenergied';
    public const PID_FILE = 'deamon.pid';

    public const FREE = 'free';
    public const OURS = 'ours';
    public const OTHERS = 'others';

    /** The daemon's pid, null when none runs; without its file it counts once it listens: before, it is starting. */
    public static function pid(): ?int
    {
        $pid = (int) @file_get_contents(DataFolder::file(self::PID_FILE));
        if ($pid > 0 && self::isOurs($pid)) {
            return $pid;
        }
        return self::listener(Daemon::port()) === self::OURS ? self::all()[0] ?? null : null;
    }

    /** @return int[] pids of every daemon that works on our data, whether a file tells of it or not */
    public static function all(): array
    {
        $pids = array_map('intval', preg_grep('/^\d+$/', (array) @scandir('/proc')));
        return array_values(array_filter($pids, [self::class, 'isOurs']));
    }

    public static function isOurs(int $pid): bool
    {
        $arguments = self::arguments($pid);
        $module = array_search(self::MODULE, $arguments, true);
        if ($module === false || ($arguments[$module - 1] ?? '') !== '-m') {
            return false;
        }
        $folder = self::argument($arguments, '--datadir');
        $own = DataFolder::path();
        return ($folder === $own || ($folder !== '' && realpath($folder) === realpath($own)))
            && array_diff(self::uids($pid), DataFolder::trustedUids()) === []
            && self::uids($pid) !== [];
    }

    /** @return string[] command line of a process; none of one that is gone, or a zombie */
    public static function arguments(int $pid): array
    {
        return explode("\0", (string) @file_get_contents('/proc/' . $pid . '/cmdline'));
    }

    public static function argument(array $arguments, string $option): string
    {
        $place = array_search($option, $arguments, true);
        return $place === false ? '' : $arguments[$place + 1] ?? '';
    }

    /** A variable of its environment; empty when it has none, or runs as another user. */
    public static function variable(int $pid, string $name): string
    {
        foreach (explode("\0", (string) @file_get_contents('/proc/' . $pid . '/environ')) as $each) {
            if (strpos($each, $name . '=') === 0) {
                return substr($each, strlen($name) + 1);
            }
        }
        return '';
    }

    /**
     * Its real, effective, saved and file system uid. Not the owner of /proc/<pid>: that is root for any process that
     * does not want to be looked at; and not one of them: anybody can run sudo with a command line of his choice.
     *
     * @return int[]
     */
    private static function uids(int $pid): array
    {
        $status = (string) @file_get_contents('/proc/' . $pid . '/status');
        return preg_match('/^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/m', $status, $found)
            ? array_values(array_unique(array_map('intval', array_slice($found, 1))))
            : [];
    }

    /**
     * Whose program listens on a port of this machine. Read, not tried: a try could get in the way of a daemon that
     * starts just now, and would tell a stranger that we are there.
     */
    public static function listener(int $port): string
    {
        $here = sprintf('(?:0100007F|0{8}|0{32}|0{16}FFFF0{12}|0{16}FFFF00000100007F):%04X', $port);
        $row = '/^\s*\d+: ' . $here . ' [0-9A-F]+:0000 0A \S+ \S+ \S+ +(\d+)/m';
        $found = self::FREE;
        foreach (['/proc/net/tcp', '/proc/net/tcp6'] as $table) {
            preg_match_all($row, (string) @file_get_contents($table), $rows);
            foreach ($rows[1] as $uid) {
                if (!in_array((int) $uid, DataFolder::trustedUids(), true)) {
                    return self::OTHERS;
                }
                $found = self::OURS;
            }
        }
        return $found;
    }
}
