<?php

use Jeenergie\Equipment\Commands;

final class CommandsTest extends JeenergieTestCase
{
    public function testCommandsComeWithTheirDefaults(): void
    {
        $meter = $this->equipment($this->connection());
        $this->assertSame(['open', 'power', 'refresh', 'valve'], $this->logicalIds($meter));
        $power = $this->cmd($meter, 'power');
        $this->assertSame(['Power', 'W', 1, 1, 'POWER'], [
            $power->getName(), $power->getUnite(), $power->getIsHistorized(), $power->getIsVisible(), $power->getGeneric_type(),
        ]);
        $this->assertSame(9000, $power->getConfiguration('maxValue'));
        $this->assertSame(0, $this->cmd($meter, 'valve')->getIsVisible());
        $this->assertSame(1, $this->cmd($meter, 'valve')->getDisplay('invertBinary'));
    }

    public function testAPowerKeepsDecimalsForTheKilowattsOfATile(): void
    {
        $power = $this->cmd($this->equipment($this->connection()), 'power');
        $this->assertSame(2, $power->getConfiguration('historizeRound'));
    }

    public function testAnActionIsLinkedToItsInfo(): void
    {
        $meter = $this->equipment($this->connection());
        $this->assertSame($this->cmd($meter, 'valve')->getId(), $this->cmd($meter, 'open')->getValue());
    }

    public function testASelectHasItsChoices(): void
    {
        $meter = $this->equipment($this->connection(['mode' => 'many']));
        $this->assertSame('1|Low;2|High', $this->cmd($meter, 'level')->getConfiguration('listValue'));
    }

    public function testWhatTheUserChangedStaysAndWhatTheDaemonNeedsIsPutRight(): void
    {
        $meter = $this->equipment($this->connection());
        $this->cmd($meter, 'power')->setName('Mine')->setIsHistorized(0)->setUnite('kW')->save();
        $meter->save();
        $power = $this->cmd($meter, 'power');
        $this->assertSame(['Mine', 0, 'W'], [$power->getName(), $power->getIsHistorized(), $power->getUnite()]);
    }

    public function testAUnitFollowsItsSetting(): void
    {
        $meter = $this->equipment($this->connection());
        Commands::seen($meter, ['index1']);
        $this->assertSame('m³', $this->cmd($meter, 'index1')->getUnite());
        $meter->setConfiguration('config', ['kind' => 'water']);
        $meter->save();
        $this->assertSame('l', $this->cmd($meter, 'index1')->getUnite());
    }

    public function testADeletedCommandDoesNotComeBackByItself(): void
    {
        $meter = $this->equipment($this->connection());
        Commands::seen($meter, ['index1']);
        $this->cmd($meter, 'power')->remove();
        $this->cmd($meter, 'index1')->remove();
        $meter = jeenergie::byId($meter->getId());
        $meter->save();
        $this->assertSame([], Commands::seen($meter, ['index1']));
        $this->assertSame(['open', 'refresh', 'valve'], $this->logicalIds($meter));
        $this->assertSame(['power', 'index1'], Commands::createMissing($meter));
        $this->assertSame(['odd'], Commands::createMissing($meter, ['odd']));
    }

    public function testOnlyAResetRemovesWhatNoLongerHolds(): void
    {
        $connection = $this->connection(['mode' => 'many']);
        $meter = $this->equipment($connection);
        $connection->setConfiguration('config', ['mode' => 'one']);
        $connection->save();
        $meter->save();
        $this->assertSame(['level'], array_keys(Commands::obsolete($meter)));
        $this->assertContains('level', $this->logicalIds($meter));
        Commands::reset($meter);
        $this->assertNotContains('level', $this->logicalIds($meter));
    }

    public function testAResetNumbersANameThatTheUserHasGivenToAnotherCommand(): void
    {
        $meter = $this->equipment($this->connection());
        $own = new jeenergieCmd();
        $own->setLogicalId('own')->setEqLogic_id($meter->getId());
        $this->cmd($meter, 'power')->setName('Mine')->save();
        $own->setName('Power')->setType('info')->save();
        Commands::reset($meter);
        $this->assertSame('Power 2', $this->cmd($meter, 'power')->getName());
    }

    public function testCommandsMoveWithTheirIds(): void
    {
        $connection = $this->connection();
        [$from, $to] = [$this->equipment($connection, '1'), $this->equipment($connection, '2')];
        $id = $this->cmd($from, 'power')->getId();
        $this->assertEqualsCanonicalizing(['power', 'valve', 'open'], Commands::move($from, $to));
        $this->assertSame($id, $this->cmd($to, 'power')->getId());
        $this->assertSame(['refresh'], $this->logicalIds($from));
    }

    public function testOfTwoCommandsTheOlderOneStays(): void
    {
        $connection = $this->connection();
        [$first, $second] = [$this->equipment($connection, '1'), $this->equipment($connection, '2')];
        $id = $this->cmd($first, 'power')->getId();
        Commands::move($second, $first);
        $this->assertSame($id, $this->cmd($first, 'power')->getId());
        $this->assertSame(['refresh'], $this->logicalIds($second));
    }
}
