<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use config;
use jeenergie;

/**
 * What the plugin remembers about an eqLogic, stored outside its row.
 *
 * The core writes rows as a whole: a note in a row would be lost with the save of a page loaded earlier, and writing a note
 * would undo what the user has saved meanwhile. Each note is a set of strings under a key of its own in the plugin's
 * configuration; strings are only added, under a lock.
 */
final class Notes
{
    /** LogicalIds of all commands ever created, so that one deleted by the user stays deleted. */
    public const COMMANDS_KNOWN = 'commandsKnown';

    /** Not empty once a connection has been searched for equipment after its first save. */
    public const DISCOVERED = 'discovered';

    /** @return string[] */
    public static function of(jeenergie $eqLogic, string $note): array
    {
        return array_values(array_unique(array_merge(self::stored($eqLogic, $note), self::former($eqLogic, $note))));
    }

    /** @param string[] $values */
    public static function add(jeenergie $eqLogic, string $note, array $values): void
    {
        Lock::during('notes', static function () use ($eqLogic, $note, $values): void {
            $stored = self::stored($eqLogic, $note);
            $all = array_values(array_unique(array_merge($stored, array_map('strval', $values))));
            if (count($all) > count($stored)) {
                config::save(self::key($eqLogic->getId(), $note), $all, 'jeenergie');
            }
        });
    }

    /** Moves notes of earlier versions out of the row, which is about to be saved. */
    public static function takeOver(jeenergie $eqLogic): void
    {
        foreach ([self::COMMANDS_KNOWN, self::DISCOVERED] as $note) {
            $former = self::former($eqLogic, $note);
            if ($former !== []) {
                self::add($eqLogic, $note, $former);
            }
            $eqLogic->setConfiguration($note, null);
        }
    }

    /** Removes all notes; called when the eqLogic is removed. */
    public static function remove(string $id): void
    {
        foreach ([self::COMMANDS_KNOWN, self::DISCOVERED] as $note) {
            config::remove(self::key($id, $note), 'jeenergie');
        }
    }

    /** @return string[] from the database: another request may have added to it */
    private static function stored(jeenergie $eqLogic, string $note): array
    {
        return jeenergie::dictionary(config::byKey(self::key($eqLogic->getId(), $note), 'jeenergie', '', true));
    }

    /** @return string[] from the row, where earlier versions kept a list, or 1 */
    private static function former(jeenergie $eqLogic, string $note): array
    {
        return array_map('strval', array_filter((array) $eqLogic->getConfiguration($note, [])));
    }

    private static function key($id, string $note): string
    {
        return $note . '::' . $id;
    }
}
