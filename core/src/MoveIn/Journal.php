<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use Exception;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Json;

/**
 * What a move has done, on disk before it is done, so that a move that was interrupted goes on or is undone.
 *
 * Its content: state (running, done, undoing, undone), step, and what the steps note. The file is replaced as a whole.
 */
final class Journal
{
    /** @var string */
    private $file;

    /** @var array */
    private $content;

    private function __construct(string $plugin, array $content)
    {
        $this->file = self::name($plugin);
        $this->content = $content;
    }

    /** The journal of the latest move from that plugin; null if there was none. */
    public static function of(string $plugin): ?self
    {
        $path = DataFolder::file(self::name($plugin));
        return is_file($path) ? new self($plugin, Json::decode((string) file_get_contents($path))) : null;
    }

    public static function begin(string $plugin, array $content): self
    {
        $journal = new self($plugin, ['plugin' => $plugin, 'state' => 'running', 'begun' => date('Y-m-d H:i:s')] + $content);
        $journal->write();
        return $journal;
    }

    /** @return self[] moves that were interrupted, or are under way */
    public static function unfinished(): array
    {
        $journals = [];
        foreach (glob(DataFolder::path() . '/movein-*.json') as $path) {
            $journal = self::of(substr(basename($path, '.json'), strlen('movein-')));
            if ($journal !== null && in_array($journal->get('state'), ['running', 'undoing'], true)) {
                $journals[] = $journal;
            }
        }
        return $journals;
    }

    /** @return mixed */
    public function get(string $key, $default = null)
    {
        return $this->content[$key] ?? $default;
    }

    /** Notes several things at once. */
    public function note(array $content): void
    {
        $this->content = array_merge($this->content, $content);
        $this->write();
    }

    public function hasDone(string $step): bool
    {
        return in_array($step, $this->get('steps', []), true);
    }

    public function done(string $step): void
    {
        $this->note(['steps' => array_merge($this->get('steps', []), [$step])]);
    }

    /** @param string[] $sentences for the report */
    public function report(array $sentences): void
    {
        $this->note(['report' => array_values(array_unique(array_merge($this->get('report', []), $sentences)))]);
    }

    /** @return array {key of each part: its member of that name} */
    public static function column(array $parts, string $name): array
    {
        return array_map(static fn(array $part) => $part[$name], $parts);
    }

    /** Written, on the disk, and only then in its place. */
    private function write(): void
    {
        $new = DataFolder::open($this->file . '.new');
        $text = Json::encode($this->content);
        $isWritten = ftruncate($new, 0) && fwrite($new, $text) === strlen($text) && fflush($new);
        if ($isWritten && function_exists('fsync')) {
            fsync($new);
        }
        fclose($new);
        if (!$isWritten || !rename(DataFolder::file($this->file . '.new'), DataFolder::file($this->file))) {
            throw new Exception(__('Le journal de la reprise ne peut pas être écrit : le disque est-il plein ?', __FILE__));
        }
    }

    private static function name(string $plugin): string
    {
        return 'movein-' . $plugin . '.json';
    }
}
