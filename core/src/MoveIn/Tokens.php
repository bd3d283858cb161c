<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

/**
 * The ids of commands and equipment within the texts of Jeedom's database: expressions, and settings in JSON.
 *
 * A command is "#12#", an equipment "#eqLogic12#", "eqLogic12" as a key of a user's rights, or "eqLogic":"12" in JSON.
 */
final class Tokens
{
    /** Settings of a design that are kept by the ids of the commands of a tile. */
    private const BY_COMMAND = ['cmdHide', 'cmdHideName', 'cmdTransparentBackground'];

    /** @var string[] new ids of commands by former ones */
    private $cmds;

    /** @var string[] new ids of equipment by former ones */
    private $eqLogics;

    /**
     * @param array $cmds {former id: new id}
     * @param array $eqLogics {former id: new id}
     */
    public function __construct(array $cmds, array $eqLogics)
    {
        $this->cmds = array_map('strval', $cmds);
        $this->eqLogics = array_map('strval', $eqLogics);
    }

    /** The other way round; where several former ids have become one, the first of them. */
    public function reversed(): self
    {
        $back = static function (array $ids): array {
            $former = [];
            foreach ($ids as $from => $to) {
                $former[$to] = $former[$to] ?? (string) $from;
            }
            return $former;
        };
        return new self($back($this->cmds), $back($this->eqLogics));
    }

    /** The text with every id replaced that stands as one; other numbers are left alone. */
    public function replacedIn(string $text): string
    {
        $patterns = [
            '/#(\d+)(?=#)/' => ['#', $this->cmds],
            '/(?<![A-Za-z0-9])eqLogic(\d+)(?!\d)/' => ['eqLogic', $this->eqLogics],
            '/"eqLogic(?:_id)?":"?\K(\d+)(?!\d)/' => ['', $this->eqLogics],
            '/"cmd(?:_id)?":"?\K(\d+)(?!\d)/' => ['', $this->cmds],
        ];
        foreach ($patterns as $pattern => [$before, $ids]) {
            $text = (string) preg_replace_callback(
                $pattern,
                static fn(array $found): string => isset($ids[$found[1]]) ? $before . $ids[$found[1]] : $found[0],
                $text
            );
        }
        return $this->replacedKeys($text);
    }

    /** A column that holds one id and nothing else, such as the link of a design. */
    public function replacedLink(string $type, string $id): string
    {
        return ['cmd' => $this->cmds, 'eqLogic' => $this->eqLogics][$type][$id] ?? $id;
    }

    private function replacedKeys(string $text): string
    {
        return (string) preg_replace_callback(
            '/"(?:' . implode('|', self::BY_COMMAND) . ')":\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/',
            fn(array $found): string => (string) preg_replace_callback(
                '/"(\d+)":/',
                fn(array $key): string => '"' . ($this->cmds[$key[1]] ?? $key[1]) . '":',
                $found[0]
            ),
            $text
        );
    }
}
