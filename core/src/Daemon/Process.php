<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Jeenergie\Storage\DataFolder;

/**
 * Finds the daemon's processes on this machine, and who listens on its port.
 *
 * The pid file is a hint only: files disappear, and pids are reused. A process is recognised as the daemon by its command
 * line, its data folder and its user.
 */
final class Process
{
    public const MODULE = 'jeenergied';
    public const PID_FILE = 'deamon.pid';

    public const FREE = 'free';
    public const OURS = 'ours';
    public const OTHERS = 'others';

    /** The daemon's pid, or null if none runs. Without a pid file it counts once it listens; before, it is starting. */
    public static function pid(): ?int
    {
        $pid = (int) @file_get_contents(DataFolder::file(self::PID_FILE));
        if ($pid > 0 && self::isOurs($pid)) {
            return $pid;
        }
        return self::listener(Daemon::port()) === self::OURS ? self::all()[0] ?? null : null;
    }

    /** @return int[] pids of every daemon that uses our data folder, with or without a pid file */
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

    /** @return string[] command line of a process; [''] if it has exited or is a zombie */
    public static function arguments(int $pid): array
    {
        return explode("\0", (string) @file_get_contents('/proc/' . $pid . '/cmdline'));
    }

    public static function argument(array $arguments, string $option): string
    {
        $place = array_search($option, $arguments, true);
        return $place === false ? '' : $arguments[$place + 1] ?? '';
    }

    /** A variable of a process's environment; '' if it is not set, or the process runs as another user. */
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
     * Real, effective, saved and file system uid of a process. The owner of /proc/<pid> would not do: it is root for a
     * process that is not dumpable. Nor would one of the four: any user may run sudo with any command line.
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
     * Who listens on a port of this machine: FREE (nobody), OURS or OTHERS. Read from /proc instead of binding or
     * connecting, which could disturb a daemon that is just starting, or announce us to a stranger.
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
