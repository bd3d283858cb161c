<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use DB;

/**
 * Writes single columns, and single keys of the column "configuration", in one statement.
 *
 * The core's save() writes a row whole, as it was read some time before: where nobody has asked for a save (values
 * that arrive, background runs, an update of the plugin), that would undo what the user has saved meanwhile.
 */
final class Row
{
    /**
     * @param string $table "cmd" or "eqLogic"
     * @param array $columns {column: value}
     * @param array $configuration {key: number or text}
     */
    public static function update(string $table, $id, array $columns, array $configuration = []): void
    {
        $set = [];
        $values = ['id' => (int) $id];
        foreach ($columns as $column => $value) {
            $set[] = '`' . $column . '` = :' . $column;
            $values[$column] = $value;
        }
        if ($configuration !== []) {
            $paths = '';
            foreach (array_keys($configuration) as $n => $key) {
                $paths .= ', :path' . $n . ', :value' . $n;
                $values['path' . $n] = '$."' . $key . '"';
                $values['value' . $n] = $configuration[$key];
            }
            // The core writes an empty one as a list, to which no key can be set.
            $isObject = 'JSON_VALID(`configuration`) AND JSON_TYPE(`configuration`) = \'OBJECT\'';
            $set[] = '`configuration` = JSON_SET(IF(' . $isObject . ', `configuration`, \'{}\')' . $paths . ')';
        }
        if ($set !== []) {
            $query = 'UPDATE `' . $table . '` SET ' . implode(', ', $set) . ' WHERE `id` = :id';
            DB::Prepare($query, $values, DB::FETCH_TYPE_ROW);
        }
    }
}
