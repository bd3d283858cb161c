<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use DB;
use jeenergie;

/**
 * Makes names that the core and its database accept.
 *
 * The core removes characters from a name, so that "L'eau & co" would become "Leau co", and cuts it after 127 bytes, even
 * within a character, which the database then refuses. The database wants names unique in an object (those of commands:
 * in an equipment), ignoring case and accents.
 */
final class Names
{
    /** The core cuts by bytes; the columns hold as many characters. */
    private const MAX_BYTES = 127;

    /** Lookalikes of the characters that the core removes. */
    public const REPLACEMENTS = [
        "'" => '’', '"' => '”', '&' => '+', '#' => 'n°', '[' => '(', ']' => ')', '/' => '-', '\\' => '-', '%' => '％',
        '*' => '∗', '<' => '‹', '>' => '›',
    ];

    /** The name with the characters that the core would remove replaced, cut between characters. */
    public static function accepted(string $name): string
    {
        return self::cut(strtr(mb_scrub($name, 'UTF-8'), self::REPLACEMENTS), self::MAX_BYTES);
    }

    /** The name, with a number if another eqLogic of the same object has it. */
    public static function ofEqLogic(jeenergie $eqLogic): string
    {
        return self::numbered((string) $eqLogic->getName(), static fn(string $name): bool => DB::Prepare(
            'SELECT `id` FROM `eqLogic` WHERE `object_id` <=> :place AND `name` = :name AND `id` != :id',
            ['place' => $eqLogic->getObject_id() ?: null, 'name' => $name, 'id' => (int) $eqLogic->getId()],
            DB::FETCH_TYPE_ALL
        ) !== []);
    }

    /** The name, with a number if another command of the equipment has it; $cmd: id of the command to name, '' if new. */
    public static function ofCommand(string $name, jeenergie $eqLogic, $cmd): string
    {
        return self::numbered($name, static fn(string $free): bool => DB::Prepare(
            'SELECT `id` FROM `cmd` WHERE `eqLogic_id` = :place AND `name` = :name AND `id` != :id',
            ['place' => (int) $eqLogic->getId(), 'name' => $free, 'id' => (int) $cmd],
            DB::FETCH_TYPE_ALL
        ) !== []);
    }

    private static function numbered(string $name, callable $isTaken): string
    {
        $name = self::accepted($name);
        for ($free = $name, $n = 2; $isTaken($free); $n++) {
            $free = self::cut($name, self::MAX_BYTES - strlen(' ' . $n)) . ' ' . $n;
        }
        return $free;
    }

    /** Trims as well: the database ignores blanks at the end. */
    private static function cut(string $name, int $bytes): string
    {
        return trim(mb_strcut(trim((string) preg_replace('/\s+/u', ' ', $name)), 0, $bytes, 'UTF-8'));
    }
}
