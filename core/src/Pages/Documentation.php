<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use Exception;
use Jeenergie\Storage\Lock;

/**
 * The plugin's documentation, shown inside Jeedom.
 *
 * Jeedom excludes every folder called "docs" from its backups, so that a restored plugin has none. The plugin keeps a copy
 * in data/, which is backed up and survives updates; it is read while docs/ is missing.
 */
final class Documentation
{
    private const COPY = '/data/documentation';
    private const FALLBACK = 'fr_FR';

    /** @var string|null another root of the plugin, for tests */
    private static $root;

    /**
     * The names of the documents of a language, or of the French originals if there are none in it.
     *
     * @return string[] in reading order: index, one per subject, changelog; [] if there is no document
     */
    public static function names(string $language): array
    {
        $folder = self::folder($language) ?? self::folder(self::FALLBACK);
        if ($folder === null) {
            return [];
        }
        $names = array_map(fn(string $file): string => basename($file, '.md'), glob($folder . '/*.md'));
        $subjects = array_diff($names, ['index', 'changelog']);
        return array_merge(['index'], array_values($subjects), array_values(array_intersect(['changelog'], $names)));
    }

    /** HTML of a document, with its pictures: all together they are too much for one page. Throws if there is none. */
    public static function page(string $language, string $name): string
    {
        if (!in_array($name, self::names($language), true)) {
            throw new Exception(__('Cette page de la documentation n\'existe pas.', __FILE__));
        }
        return Markdown::ofFile((self::folder($language) ?? self::folder(self::FALLBACK)) . '/' . $name . '.md');
    }

    /** @return string[] HTML of all documents by name */
    public static function pages(string $language): array
    {
        $pages = [];
        foreach (self::names($language) as $name) {
            $pages[$name] = self::page($language, $name);
        }
        return $pages;
    }

    /** Updates the copy from docs/, if that exists. */
    public static function keep(): void
    {
        $files = self::files();
        if ($files === []) {
            return;
        }
        $copy = self::root() . self::COPY;
        $stamp = self::stamp($files);
        if (@file_get_contents($copy . '/.stamp') === $stamp) {
            return;
        }
        Lock::during('documentation', static function () use ($files, $copy, $stamp): void {
            self::remove($copy . '.new');
            foreach ($files as $path) {
                self::write($copy . '.new/' . $path, (string) file_get_contents(self::root() . '/docs/' . $path));
            }
            self::write($copy . '.new/.stamp', $stamp);
            self::remove($copy);
            rename($copy . '.new', $copy);
        });
    }

    private static function folder(string $language): ?string
    {
        if (preg_match('/^[a-z]{2}_[A-Z]{2}$/D', $language)) {
            foreach (['/docs', self::COPY] as $place) {
                $folder = self::root() . $place . '/' . $language;
                if (is_file($folder . '/index.md')) {
                    return $folder;
                }
            }
        }
        return null;
    }

    /** @return string[] paths below docs/: documents of all languages, and the pictures they show */
    private static function files(): array
    {
        $docs = self::root() . '/docs/';
        $files = [];
        foreach (glob($docs . '[a-z][a-z]_[A-Z][A-Z]/*.md') as $file) {
            $files[] = substr($file, strlen($docs));
            preg_match_all('/\]\(\.\.\/(images\/(?:fr\/|en\/)?[\w.-]+\.png)\)/', (string) file_get_contents($file), $pictures);
            array_push($files, ...array_filter($pictures[1], fn(string $path): bool => is_file($docs . $path)));
        }
        return array_unique($files);
    }

    private static function stamp(array $files): string
    {
        $hash = hash_init('sha256');
        foreach ($files as $path) {
            hash_update($hash, $path . "\0" . hash_file('sha256', self::root() . '/docs/' . $path));
        }
        return hash_final($hash);
    }

    private static function write(string $path, string $content): void
    {
        $owner = dirname(self::root() . self::COPY);
        $made = [$path];
        for ($folder = dirname($path); !is_dir($folder); $folder = dirname($folder)) {
            $made[] = $folder;
        }
        is_dir(dirname($path)) || mkdir(dirname($path), 0755, true);
        if (file_put_contents($path, $content) !== strlen($content)) {
            throw new Exception(sprintf(__('%s ne peut pas être écrit.', __FILE__), $path));
        }
        foreach (posix_geteuid() === 0 ? $made : [] as $each) {
            // Run as root: the web server's user must be able to replace the copy.
            chown($each, (int) fileowner($owner));
            chgrp($each, (int) filegroup($owner));
        }
    }

    private static function remove(string $path): void
    {
        if (is_link($path) || is_file($path)) {
            unlink($path);
        } elseif (is_dir($path)) {
            foreach (array_diff(scandir($path), ['.', '..']) as $name) {
                self::remove($path . '/' . $name);
            }
            rmdir($path);
        }
    }

    private static function root(): string
    {
        return self::$root ?? dirname(__DIR__, 3);
    }
}
