<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use cmd;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Storage\Lock;
use Jeenergie\Storage\Notes;
use Jeenergie\Storage\Row;
use jeenergieCmd;

/**
 * Creates and updates the commands of an eqLogic from the rows of its catalogue; they are matched by logicalId.
 *
 * What the daemon relies on (type, unit, limits, link) follows the catalogue at each save. What belongs to the user (name,
 * visibility, history, widget, order, generic type) is set at creation only. LogicalIds of created commands are
 * remembered, so that one the user has deleted does not come back.
 *
 * Most of this runs while values arrive or in the background, at the same time as a save of the page: existing commands
 * are updated by single columns, and only one request at a time creates commands.
 */
final class Commands
{
    /**
     * Updates existing commands and creates those the catalogue creates automatically.
     *
     * @return string[] logicalIds created
     */
    public static function apply(jeenergie $eqLogic): array
    {
        return self::exclusively(static function () use ($eqLogic): array {
            $existing = self::existing($eqLogic);
            $rows = $eqLogic->rows();
            self::update($eqLogic, $existing, $rows);
            $known = self::known($eqLogic);
            return self::create($eqLogic, $existing, array_filter(
                $rows,
                fn(array $row): bool => self::isAutomatic($row) && !in_array($row['logicalId'], $known, true)
            ));
        });
    }

    /**
     * Creates the commands for which data has been seen, except those that have existed before.
     *
     * @return string[] logicalIds created
     */
    public static function seen(jeenergie $eqLogic, array $logicalIds): array
    {
        $logicalIds = array_map('strval', $logicalIds);
        if (array_diff($logicalIds, self::known($eqLogic)) === []) {
            return []; // the usual case, without a query for commands
        }
        return self::exclusively(static function () use ($eqLogic, $logicalIds): array {
            $wanted = array_diff($logicalIds, self::known($eqLogic));
            $rows = array_intersect_key($eqLogic->rows(), array_flip($wanted));
            return $rows === [] ? [] : self::create($eqLogic, self::existing($eqLogic), $rows);
        });
    }

    /**
     * Creates missing commands.
     *
     * @param string[]|null $logicalIds which ones; by default the automatic ones and those that have existed before
     * @return string[] logicalIds created
     */
    public static function createMissing(jeenergie $eqLogic, ?array $logicalIds = null): array
    {
        return self::exclusively(static function () use ($eqLogic, $logicalIds): array {
            $existing = self::existing($eqLogic);
            $missing = array_diff_key($eqLogic->rows(), $existing);
            $known = self::known($eqLogic);
            return self::create($eqLogic, $existing, array_filter(
                $missing,
                fn(array $row): bool => $logicalIds === null
                    ? self::isAutomatic($row) || in_array($row['logicalId'], $known, true)
                    : in_array($row['logicalId'], array_map('strval', $logicalIds), true)
            ));
        });
    }

    /** Applicable rows without a command, by logicalId. */
    public static function missing(jeenergie $eqLogic): array
    {
        return array_diff_key($eqLogic->rows(), self::existing($eqLogic));
    }

    /** @return cmd[] commands whose row does not apply with the present settings, by logicalId */
    public static function obsolete(jeenergie $eqLogic): array
    {
        $all = array_column(Catalogue::rows($eqLogic->backend(), $eqLogic->type()), null, 'logicalId');
        $rows = $eqLogic->rows();
        return array_intersect_key(array_diff_key(self::existing($eqLogic), $rows), $all);
    }

    /**
     * Resets every command to the catalogue's defaults; ids, history and references stay.
     * This is the only place where commands whose row no longer applies are removed.
     */
    public static function reset(jeenergie $eqLogic): void
    {
        self::exclusively(static function () use ($eqLogic): void {
            self::resetAll($eqLogic);
        });
    }

    private static function resetAll(jeenergie $eqLogic): void
    {
        foreach (self::obsolete($eqLogic) as $cmd) {
            $cmd->remove();
        }
        $existing = self::existing($eqLogic);
        $rows = array_intersect_key($eqLogic->rows(), $existing);
        // The user may have swapped two names, and the database wants them unique at every step.
        foreach ($rows as $logicalId => $row) {
            if ($existing[$logicalId]->getName() !== $row['name']) {
                $existing[$logicalId]->setName($row['name'] . ' ' . $existing[$logicalId]->getId());
                $existing[$logicalId]->save();
            }
        }
        foreach ($rows as $logicalId => $row) {
            $name = Names::ofCommand($row['name'], $eqLogic, $existing[$logicalId]->getId());
            self::setDefaults($existing[$logicalId], $row, $name);
            if ($existing[$logicalId]->getChanged()) {
                $existing[$logicalId]->save();
            }
        }
        self::update($eqLogic, $existing, $rows);
    }

    /**
     * Moves commands to another equipment; ids, history and references stay. Where both have one, the older one is kept.
     *
     * @return string[] logicalIds moved
     */
    public static function move(jeenergie $from, jeenergie $to): array
    {
        return self::exclusively(static fn(): array => self::moveAll($from, $to));
    }

    private static function moveAll(jeenergie $from, jeenergie $to): array
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
                    // Several pieces of equipment had it; the first one has the history.
                    $cmd->remove();
                    continue;
                }
                $there[$logicalId]->remove();
                unset($there[$logicalId]);
            }
            $columns = ['eqLogic_id' => (int) $to->getId()];
            $name = Names::ofCommand($cmd->getName(), $to, $cmd->getId());
            Row::update('cmd', $cmd->getId(), $columns + ($name === $cmd->getName() ? [] : ['name' => $name]));
            $cmd->setName($name);
            $there[$logicalId] = $cmd;
            $moved[] = (string) $logicalId;
        }
        Notes::add($to, Notes::COMMANDS_KNOWN, $moved);
        DesiredState::changed();
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

    /**
     * Creates commands, infos before the actions that are linked to them.
     *
     * @param cmd[] $existing by logicalId
     * @param array $rows rows to create commands for, by logicalId; existing commands are left alone
     * @return string[] logicalIds created
     */
    private static function create(jeenergie $eqLogic, array $existing, array $rows): array
    {
        $created = [];
        foreach (['info', 'action'] as $type) {
            foreach (array_diff_key($rows, $existing) as $logicalId => $row) {
                if ($row['type'] !== $type) {
                    continue;
                }
                $cmd = new jeenergieCmd();
                $cmd->setLogicalId($logicalId);
                $cmd->setEqType('jeenergie');
                $cmd->setEqLogic_id($eqLogic->getId());
                $cmd->setEqLogic($eqLogic);
                [$columns, $configuration] = self::structure($eqLogic, $row, $existing);
                foreach ($columns as $column => $value) {
                    $cmd->{'set' . ucfirst($column)}($value);
                }
                foreach ($configuration as $key => $value) {
                    $cmd->setConfiguration($key, $value);
                }
                self::setDefaults($cmd, $row, Names::ofCommand($row['name'], $eqLogic, ''));
                $cmd->save();
                $existing[$logicalId] = $cmd;
                $created[] = (string) $logicalId;
            }
        }
        if ($created !== []) {
            // Links actions that existed before their info.
            self::update($eqLogic, array_diff_key($existing, array_flip($created)), $eqLogic->rows(), $existing);
        }
        Notes::add($eqLogic, Notes::COMMANDS_KNOWN, array_keys($existing));
        return $created;
    }

    /**
     * Updates in existing commands what the daemon relies on.
     *
     * @param cmd[] $commands commands to update, by logicalId
     * @param cmd[]|null $all commands an action may be linked to, if more than these
     */
    private static function update(jeenergie $eqLogic, array $commands, array $rows, ?array $all = null): void
    {
        $changed = false;
        foreach (array_intersect_key($commands, $rows) as $logicalId => $cmd) {
            [$columns, $configuration] = self::structure($eqLogic, $rows[$logicalId], $all ?? $commands);
            // Compared as text: a page sends numbers back as text.
            $columns = array_filter($columns, static fn($value, string $column): bool =>
                (string) $cmd->{'get' . ucfirst($column)}() !== (string) $value, ARRAY_FILTER_USE_BOTH);
            $configuration = array_filter($configuration, static fn($value, string $key): bool =>
                (string) $cmd->getConfiguration($key) !== (string) $value, ARRAY_FILTER_USE_BOTH);
            if ($columns !== [] || $configuration !== []) {
                Row::update('cmd', $cmd->getId(), $columns, $configuration);
                $changed = true;
            }
        }
        if ($changed) {
            $eqLogic->refreshWidget();
        }
    }

    /**
     * The part of a command that the daemon relies on.
     *
     * @param cmd[] $commands commands an action may be linked to, by logicalId
     * @return array[] {column: value}, {key of the configuration: value}
     */
    private static function structure(jeenergie $eqLogic, array $row, array $commands): array
    {
        $choices = [];
        foreach (Catalogue::choices($eqLogic->backend(), $row) as $value => $label) {
            $choices[] = $value . '|' . $label;
        }
        $configuration = [
            'minValue' => $row['min'] ?? null,
            'maxValue' => $row['max'] ?? null,
            'listValue' => $choices === [] ? null : implode(';', $choices),
        ];
        $columns = ['type' => $row['type'], 'subType' => $row['subType'], 'unite' => $row['unit']];
        $linked = $commands[$row['value'] ?? ''] ?? null;
        if ($linked !== null && $linked->getId() != '') {
            $columns['value'] = $linked->getId();
        }
        return [$columns, array_filter($configuration, fn($value): bool => $value !== null)];
    }

    /** Sets what the user may change later. */
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
            // The core rounds after converting 1041 W to 1.041 kW: without decimals it would show 1 kW.
            $cmd->setConfiguration('historizeRound', max(2, $row['precision']));
        }
    }

    private static function isAutomatic(array $row): bool
    {
        return ($row['create'] ?? 'always') === 'always';
    }

    /** @return string[] logicalIds of commands that exist or have existed */
    private static function known(jeenergie $eqLogic): array
    {
        return Notes::of($eqLogic, Notes::COMMANDS_KNOWN);
    }

    /** Runs the action under the lock without which two requests could create the same command. */
    private static function exclusively(callable $action)
    {
        return Lock::during('commands', $action);
    }
}
