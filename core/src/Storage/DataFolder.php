<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use Exception;

/**
 * The plugin's private folder, data/daemon, which other users of the machine can neither read nor write.
 *
 * Jeedom's temporary folder does not do: every user may create files and links there.
 */
final class DataFolder
{
    private const POLL_US = 20000;
    private const PROBE_FILE = 'room.probe';
    private const PROBE_BYTES = 65536;

    /** @var string|null another folder, for tests */
    private static $path;

    /**
     * The path of the folder. Creates it, and makes it private again if the core has opened it ("restore the rights").
     *
     * @throws Exception if it is a link, or belongs to somebody else
     */
    public static function path(): string
    {
        $folder = self::$path ?? dirname(__DIR__, 3) . '/data/daemon';
        clearstatcache(true, $folder);
        $found = @lstat($folder);
        if ($found === false) {
            if (self::isRemoved()) {
                // What ends a request runs after the core has deleted the plugin: its folder stays gone.
                throw new Exception('the plugin has been removed');
            }
            // Another request may have created it meanwhile.
            if (!@mkdir($folder, 0700, true) && !is_dir($folder)) {
                throw self::unusable($folder, __('il ne peut pas être créé', __FILE__));
            }
            self::giveToOwner($folder, dirname(__DIR__, 3));
            $found = lstat($folder);
        }
        if (is_link($folder) || !is_dir($folder)) {
            throw self::unusable($folder, __('ce n\'est pas un dossier', __FILE__));
        }
        // Run as root: the files belong to the web server's user.
        $owners = posix_geteuid() === 0 ? [0, fileowner(dirname($folder))] : [posix_geteuid()];
        if (!in_array($found['uid'], $owners, true)) {
            throw self::unusable($folder, __('il appartient à un autre utilisateur que celui du serveur web', __FILE__));
        }
        if (($found['mode'] & 0077) !== 0) {
            chmod($folder, 0700);
        }
        return $folder;
    }

    /** True once the core has deleted the plugin's files. */
    public static function isRemoved(): bool
    {
        clearstatcache(true, __FILE__);
        return !is_file(__FILE__);
    }

    /** @return int[] uids whose files and processes are trusted: root, our own, and the folder's owner */
    public static function trustedUids(): array
    {
        return array_unique([0, posix_geteuid(), lstat(self::path())['uid']]);
    }

    public static function file(string $name): string
    {
        return self::path() . '/' . $name;
    }

    /**
     * Opens a file of the folder for reading and writing; creates it if it is missing.
     *
     * @return resource
     * @throws Exception if it is a link, not a regular file or somebody else's; nothing is changed then
     */
    public static function open(string $name)
    {
        $path = self::file($name);
        clearstatcache(true, $path);
        $before = @lstat($path);
        if ($before !== false && !self::isPlain($before)) {
            throw self::unusable($path, __('ce n\'est pas un fichier du plugin', __FILE__));
        }
        // "e" (close-on-exec): a background task started meanwhile would inherit the handle, and with it the lock.
        $file = @fopen($path, 'c+e');
        if ($file === false) {
            throw self::unusable($path, error_get_last()['message'] ?? '');
        }
        $opened = fstat($file);
        if (!self::isPlain($opened) || ($before !== false && $before['ino'] !== $opened['ino'])) {
            throw self::unusable($path, __('ce n\'est pas un fichier du plugin', __FILE__));
        }
        if ($before === false) {
            chmod($path, 0600);
            self::giveToOwner($path, self::path());
        }
        return $file;
    }

    /** True if the folder can take what the daemon writes at its start: files, and a journal beside each. */
    public static function hasRoom(): bool
    {
        $file = self::open(self::PROBE_FILE);
        $isWritten = @fwrite($file, str_repeat("\0", self::PROBE_BYTES)) === self::PROBE_BYTES && @fflush($file);
        fclose($file);
        @unlink(self::file(self::PROBE_FILE));
        return $isWritten;
    }

    /**
     * Opens a file of the folder and locks it.
     *
     * @return resource|null holds the lock until it is closed; null if another request keeps it for `$seconds`
     */
    public static function lock(string $name, float $seconds)
    {
        $file = self::open($name);
        for ($end = microtime(true) + $seconds; !flock($file, LOCK_EX | LOCK_NB); usleep(self::POLL_US)) {
            if (microtime(true) >= $end) {
                fclose($file);
                return null;
            }
        }
        return $file;
    }

    private static function isPlain(array $found): bool
    {
        return ($found['mode'] & 0170000) === 0100000 && in_array($found['uid'], self::trustedUids(), true);
    }

    /** Run as root: gives a new file to the web server's user. */
    private static function giveToOwner(string $made, string $like): void
    {
        if (posix_geteuid() === 0) {
            chown($made, (int) fileowner($like));
            chgrp($made, (int) filegroup($like));
        }
    }

    private static function unusable(string $path, string $reason): Exception
    {
        return new Exception(sprintf(
            __('%1$s est inutilisable : %2$s. Dans Jeedom : Réglages → Système → Configuration → OS/DB, « Rétablissement des droits ».', __FILE__),
            $path,
            $reason
        ));
    }
}
