<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;

/**
 * The key of an equipment as pages show it.
 *
 * Some types have for their key the id of another equipment, which says nothing to anybody: the catalogue tells which, by
 * "keyNames", and that equipment is shown by its name. A key that is a word of the plugin's own ("keyHidden") is not shown.
 */
final class ShownKey
{
    /** @return array {shownKey: the text, keyLabel: what it is, isKeyFixed: whether the user may not change it} */
    public static function of(jeenergie $equipment): array
    {
        if ($equipment->isConnection() || !in_array($equipment->backend(), Catalogue::backends(), true)) {
            return ['shownKey' => $equipment->key(), 'keyLabel' => '', 'isKeyFixed' => true];
        }
        $type = Catalogue::translated($equipment->backend())['equipment'][$equipment->type()] ?? [];
        $settings = isset($type['keyNames']) ? $equipment->settings() : [];
        $named = self::named($type, $equipment->key(), $settings);
        return [
            'shownKey' => $named ?? $equipment->key(),
            'keyLabel' => ($named === null ? null : $type['keyNames']['label'] ?? null)
                ?? $type['keyLabel'] ?? __('Identifiant', __FILE__),
            'isKeyFixed' => $named !== null || empty($type['addByHand']),
        ];
    }

    /** Of what was found and may not be in Jeedom yet. */
    public static function ofFound(array $type, string $key, array $config): string
    {
        return self::named($type, $key, $config) ?? $key;
    }

    /** The name of the equipment that a key stands for, with its object; '' if it says nothing; null if it is just a key. */
    private static function named(array $type, string $key, array $settings): ?string
    {
        if (!empty($type['keyHidden'])) {
            return '';
        }
        if (!isset($type['keyNames']) || !Settings::holds($type['keyNames']['when'] ?? [], $settings)) {
            return null;
        }
        $other = ctype_digit($key) ? jeenergie::byId($key) : null;
        if (!$other instanceof jeenergie) {
            // One that is added by hand may have any mark.
            return empty($type['addByHand']) ? __('supprimé de Jeedom', __FILE__) : null;
        }
        $object = $other->getObject();
        return $other->getName() . (is_object($object) ? ' (' . $object->getName() . ')' : '');
    }
}
