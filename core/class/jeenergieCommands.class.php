<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/**
 * The commands of an eqLogic, made after the rows of its catalogue and found again by logicalId.
 *
 * What the daemon relies on (type, unit, limits, link) follows the catalogue at each save; what belongs to the
 * user (name, visibility, history, widget, order, generic type) is set once. Every command once created is
 * remembered, so that one that the user deleted does not come back by itself.
 */
final class jeenergieCommands
{
    /** Brings existing commands up to date and creates those that come by themselves. @return string[] created */
    public static function apply(jeenergie $eqLogic): array
    {
        $wanted = array_filter(
            $eqLogic->rows(),
            fn(array $row): bool => self::isAutomatic($row) && !self::isKnown($eqLogic, $row['logicalId'])
        );
        return self::write($eqLogic, array_keys($wanted));
    }

    /** Data exists for these commands: creates those that were never there. @return string[] created */
    public static function seen(jeenergie $eqLogic, array $logicalIds): array
    {
        $wanted = array_filter($logicalIds, fn($logicalId): bool => !self::isKnown($eqLogic, (string) $logicalId));
        return $wanted === [] ? [] : self::write($eqLogic, $wanted);
    }

    /**
     * Creates again what is missing.
     *
     * @param string[]|null $logicalIds exactly these; by default all that come by themselves or were once there
     * @return string[] created
     */
    public static function createMissing(jeenergie $eqLogic, ?array $logicalIds = null): array
    {
        return self::write($eqLogic, $logicalIds ?? array_keys(array_filter(
            self::missing($eqLogic),
            fn(array $row): bool => self::isAutomatic($row) || self::isKnown($eqLogic, $row['logicalId'])
        )));
    }

    /** Rows that hold and have no command, by logicalId. */
    public static function missing(jeenergie $eqLogic): array
    {
        return array_diff_key($eqLogic->rows(), self::existing($eqLogic));
    }

    /** @return cmd[] commands whose row no longer holds with the present settings */
    public static function obsolete(jeenergie $eqLogic): array
    {
        $all = array_column(jeenergieCatalogue::rows($eqLogic->backend(), $eqLogic->type()), null, 'logicalId');
        $rows = $eqLogic->rows();
        return array_intersect_key(array_diff_key(self::existing($eqLogic), $rows), $all);
    }

    /**
     * Gives every command the catalogue's defaults again; ids, history and what uses them stay.
     * Only here do commands whose row no longer holds disappear.
     */
    public static function reset(jeenergie $eqLogic): void
    {
        foreach (self::obsolete($eqLogic) as $cmd) {
            $cmd->remove();
        }
        $existing = self::existing($eqLogic);
        $rows = array_intersect_key($eqLogic->rows(), $existing);
        // The user may have exchanged names, and the database wants them unique at every step.
        foreach ($rows as $logicalId => $row) {
            if ($existing[$logicalId]->getName() !== $row['name']) {
                $existing[$logicalId]->setName($row['name'] . ' ' . $existing[$logicalId]->getId());
                $existing[$logicalId]->save();
            }
        }
        $others = array_diff_key($existing, $rows);
        foreach ($rows as $logicalId => $row) {
            self::setDefaults($existing[$logicalId], $row, self::freeName($row['name'], $others));
        }
        self::save($eqLogic, $existing, $rows);
    }

    /**
     * Hands commands over to another equipment: ids, history and all that uses them stay. Of two, the older one stays.
     *
     * @return string[] logicalIds moved
     */
    public static function move(jeenergie $from, jeenergie $to): array
    {
        $rows = $to->rows();
        $there = self::existing($to);
        $moved = [];
        foreach (self::existing($from) as $logicalId => $cmd) {
            if (!isset($rows[$logicalId]) || $logicalId === 'refresh') {
                continue;
            }
            if (isset($there[$logicalId])) {
                if ($there[$logicalId]->getId() < $cmd->getId()) {
                    // Several equipment had it, and the first of them has the history.
                    $cmd->remove();
                    continue;
                }
                $there[$logicalId]->remove();
                unset($there[$logicalId]);
            }
            $cmd->setEqLogic_id($to->getId());
            $cmd->setEqLogic($to);
            $cmd->setName(self::freeName($cmd->getName(), $there));
            $cmd->save();
            $there[$logicalId] = $cmd;
            $moved[] = (string) $logicalId;
        }
        self::remember($to, $moved);
        return $moved;
    }

    /** @return cmd[] by logicalId */
    public static function existing(jeenergie $eqLogic): array
    {
        $commands = [];
        foreach ($eqLogic->getCmd() as $cmd) {
            if ($cmd->getLogicalId() != '') {
                $commands[$cmd->getLogicalId()] = $commands[$cmd->getLogicalId()] ?? $cmd;
            }
        }
        return $commands;
    }

    /** Updates the existing commands and creates the wanted ones. */
    private static function write(jeenergie $eqLogic, array $wanted): array
    {
        $existing = self::existing($eqLogic);
        $rows = $eqLogic->rows();
        $created = [];
        foreach (array_intersect_key($rows, array_flip($wanted)) as $logicalId => $row) {
            if (isset($existing[$logicalId])) {
                continue;
            }
            $cmd = new jeenergieCmd();
            $cmd->setLogicalId($logicalId);
            $cmd->setEqType('jeenergie');
            $cmd->setEqLogic_id($eqLogic->getId());
            $cmd->setEqLogic($eqLogic);
            self::setDefaults($cmd, $row, self::freeName($row['name'], $existing));
            $existing[$logicalId] = $cmd;
            $created[] = (string) $logicalId;
        }
        self::save($eqLogic, $existing, $rows);
        self::remember($eqLogic, array_merge($created, array_map('strval', array_keys($existing))));
        return $created;
    }

    /** Saves what has changed: first the infos, then the actions that are linked to them. */
    private static function save(jeenergie $eqLogic, array $commands, array $rows): void
    {
        foreach (['info', 'action'] as $type) {
            foreach ($commands as $logicalId => $cmd) {
                $row = $rows[$logicalId] ?? null;
                if ($row !== null && $row['type'] === $type) {
                    self::setStructure($eqLogic, $cmd, $row, $commands);
                }
                if ($cmd->getType() === $type && ($cmd->getId() == '' || $cmd->getChanged())) {
                    $cmd->save();
                }
            }
        }
    }

    /** What the daemon and the catalogue rely on. */
    private static function setStructure(jeenergie $eqLogic, cmd $cmd, array $row, array $commands): void
    {
        $cmd->setType($row['type']);
        $cmd->setSubType($row['subType']);
        $cmd->setUnite($row['unit']);
        $choices = [];
        foreach (jeenergieCatalogue::choices($eqLogic->backend(), $row) as $value => $label) {
            $choices[] = $value . '|' . $label;
        }
        $configuration = [
            'minValue' => $row['min'] ?? null,
            'maxValue' => $row['max'] ?? null,
            'listValue' => $choices === [] ? null : implode(';', $choices),
        ];
        foreach ($configuration as $key => $value) {
            // A page sends numbers back as text: that is no change.
            if ($value !== null && (string) $cmd->getConfiguration($key) !== (string) $value) {
                $cmd->setConfiguration($key, $value);
            }
        }
        $linked = $commands[$row['value'] ?? ''] ?? null;
        if ($linked !== null && $linked->getId() != '') {
            $cmd->setValue($linked->getId());
        }
    }

    /** What the user may change afterwards. */
    private static function setDefaults(cmd $cmd, array $row, string $name): void
    {
        $cmd->setName($name);
        $cmd->setIsVisible((int) ($row['visible'] ?? true));
        $cmd->setIsHistorized((int) ($row['history'] ?? false));
        $cmd->setOrder($row['order']);
        $cmd->setGeneric_type($row['genericType'] ?? null);
        $template = $row['template'] ?? 'core::default';
        $cmd->setTemplate('dashboard', $template);
        $cmd->setTemplate('mobile', $template);
        if (!empty($row['inverted'])) {
            $cmd->setDisplay('invertBinary', 1);
        }
        if (isset($row['historizeMode'])) {
            $cmd->setConfiguration('historizeMode', $row['historizeMode']);
        }
        if (isset($row['precision'])) {
            // The core rounds after it has turned 1041 W into 1.041 kW: with no decimal, that would show as 1 kW.
            $cmd->setConfiguration('historizeRound', max(2, $row['precision']));
        }
    }

    /** The name, numbered when another command has it: the core wants names unique in an equipment. */
    private static function freeName(string $name, array $commands): string
    {
        $taken = array_map(fn(cmd $cmd): string => mb_strtolower($cmd->getName()), $commands);
        for ($free = $name, $n = 2; in_array(mb_strtolower($free), $taken, true); $n++) {
            $free = $name . ' ' . $n;
        }
        return $free;
    }

    private static function isAutomatic(array $row): bool
    {
        return ($row['create'] ?? 'always') === 'always';
    }

    private static function isKnown(jeenergie $eqLogic, string $logicalId): bool
    {
        return in_array($logicalId, jeenergie::dictionary($eqLogic->getConfiguration('commandsKnown')), true);
    }

    private static function remember(jeenergie $eqLogic, array $logicalIds): void
    {
        $known = jeenergie::dictionary($eqLogic->getConfiguration('commandsKnown'));
        $all = array_values(array_unique(array_merge($known, $logicalIds)));
        if ($all !== $known) {
            $eqLogic->setConfiguration('commandsKnown', $all);
            $eqLogic->save(true);
        }
    }
}
