<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use DB;
use jeenergie;

/**
 * Names as the core and its database take them.
 *
 * The core takes characters out of a name, so that "L'eau & co" would become "Leau co", and cuts what is left after
 * 127 bytes, through a character if need be, which the database then refuses. The database wants names unique in an
 * object (those of commands: in an equipment), and does not tell apart what differs in case or accents only.
 */
final class Names
{
    /** In bytes, as the core cuts; the columns hold as many characters. */
    private const MAX_BYTES = 127;

    /** What says the same without the characters that the core takes out. */
    private const ALIKE = [
        "'" => '’', '"' => '”', '&' => '+', '#' => 'n°', '[' => '(', ']' => ')', '/' => '-', '\\' => '-', '%' => '％',
        '*' => '∗', '<' => '‹', '>' => '›',
    ];

    /** The name with what the core would take out replaced, cut at the end of a character. */
    public static function kept(string $name): string
    {
        return self::cut(strtr(mb_scrub($name, 'UTF-8'), self::ALIKE), self::MAX_BYTES);
    }

    /** The name, numbered if another eqLogic of the same object has it. */
    public static function ofEqLogic(jeenergie $eqLogic): string
    {
        return self::free((string) $eqLogic->getName(), static fn(string $name): bool => DB::Prepare(
            'SELECT `id` FROM `eqLogic` WHERE `object_id` <=> :place AND `name` = :name AND `id` != :id',
            ['place' => $eqLogic->getObject_id() ?: null, 'name' => $name, 'id' => (int) $eqLogic->getId()],
            DB::FETCH_TYPE_ALL
        ) !== []);
    }

    /** The name, numbered if another command of the equipment has it; $cmd: the id of the one that is to be called so. */
    public static function ofCommand(string $name, jeenergie $eqLogic, $cmd): string
    {
        return self::free($name, static fn(string $free): bool => DB::Prepare(
            'SELECT `id` FROM `cmd` WHERE `eqLogic_id` = :place AND `name` = :name AND `id` != :id',
            ['place' => (int) $eqLogic->getId(), 'name' => $free, 'id' => (int) $cmd],
            DB::FETCH_TYPE_ALL
        ) !== []);
    }

    private static function free(string $name, callable $isTaken): string
    {
        $name = self::kept($name);
        for ($free = $name, $n = 2; $isTaken($free); $n++) {
            $free = self::cut($name, self::MAX_BYTES - strlen(' ' . $n)) . ' ' . $n;
        }
        return $free;
    }

    /** The database does not see blanks at the end. */
    private static function cut(string $name, int $bytes): string
    {
        return trim(mb_strcut(trim((string) preg_replace('/\s+/u', ' ', $name)), 0, $bytes, 'UTF-8'));
    }
}
